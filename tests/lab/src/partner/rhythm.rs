//! When each kind of partner calls, and what for.

use riskgraph_domain::Timestamp;

use super::{Call, MINUTE_MS, NATURAL_EVENTS_PER_DAY, Partner};
use crate::day::{HOUR_MS, Plan};
use crate::dice::Dice;
use crate::roster::VendorRole;
use crate::shop::{DayFlavour, Shop};

/// One partner's hour.
pub(super) struct Hour<'a> {
    pub shop: &'a Shop,
    pub partner: &'a Partner,
    pub plan: &'a Plan,
    pub begin: Timestamp,
    pub dice: &'a mut Dice,
}

impl Hour<'_> {
    fn local(&self) -> i64 {
        (self.begin.0.div_euclid(HOUR_MS) + self.partner.utc_h).rem_euclid(24)
    }

    fn weekday(&self) -> i64 {
        ((self.begin.0.div_euclid(HOUR_MS) + self.partner.utc_h).div_euclid(24) + 3).rem_euclid(7)
    }

    /// How busy an office is: 0 at night, 1 at its best.
    fn office(&self) -> f64 {
        let shape = match self.local() {
            8 | 17 => 0.5,
            9..=11 | 13..=16 => 1.0,
            12 => 0.7,
            7 | 18 | 19 => 0.15,
            _ => 0.0,
        };
        if self.weekday() < 5 { shape } else { shape * 0.12 }
    }

    /// Volume against the natural one; a sale brings more orders to everybody.
    fn volume(&self) -> f64 {
        let size = (self.shop.options.events_per_day as f64 / NATURAL_EVENTS_PER_DAY).clamp(0.2, 20.0);
        if self.plan.flavour == DayFlavour::SaleDay { size * 3.0 } else { size }
    }

    fn at(&mut self, minute: i64) -> Timestamp {
        self.begin + minute * MINUTE_MS + self.dice.range(0, 25_000)
    }

    fn anywhen(&mut self) -> Timestamp {
        self.begin + self.dice.range(0, HOUR_MS - 1)
    }

    /// The calls of this hour, without their mishaps.
    pub(super) fn calls(&mut self) -> Vec<Call> {
        match self.partner.role {
            VendorRole::Fulfilment => self.fulfilment(),
            VendorRole::Payments => self.pages("/v1/payments", 1, 100, "id,amount,status"),
            VendorRole::Erp => self.erp(),
            VendorRole::Marketplace => self.listings(),
            VendorRole::Helpdesk => self.desk(26.0, "id,name,email,address,orders"),
            VendorRole::PriceComparison if self.local() % 6 == 1 => {
                let n = self.shop.options.n_products.div_ceil(1_000) as i64;
                self.pages("/v1/feed/products", n, 1_000, "id,title,price,stock")
            }
            VendorRole::Crm => self.crm(),
            VendorRole::Returns => self.returns(),
            VendorRole::Reviews if self.local() == 9 => {
                let n = self.dice.range(1, 3);
                self.pages("/v1/orders", n, 100, "id,status,items")
            }
            VendorRole::Reporting => self.pages("/v1/reports/sales", 1, 24, "totals"),
            _ => Vec::new(),
        }
    }

    /// Pages of a list, one after another; the last one is not full.
    fn pages(&mut self, route: &'static str, n: i64, rows: u64, fields: &'static str) -> Vec<Call> {
        let mut at = self.at(self.partner.minute);
        (1..=n)
            .map(|page| {
                at = at + self.dice.range(700, 2_500);
                let full = if page == n { self.dice.below(rows) } else { rows };
                Call::get(at, route, format!("{route}?page={page}"), full, fields)
            })
            .collect()
    }

    /// Asks for new orders every five minutes and reports what was shipped.
    fn fulfilment(&mut self) -> Vec<Call> {
        let mut calls = Vec::new();
        let waiting = self.volume() * crate::user::demand(self.local()) * 2.6;
        for minute in (0..60).step_by(5) {
            let at = self.at(minute);
            let n = self.dice.poisson(waiting);
            calls.push(Call::get(
                at,
                "/v1/orders",
                "/v1/orders?status=paid&page=1".into(),
                n,
                "id,status,items,address",
            ));
            if n > 0 && self.dice.chance(0.8) {
                calls.push(Call::send(at + self.dice.range(1_500, 60_000), "POST", "/v1/shipments"));
            }
        }
        calls
    }

    /// Hourly stock, and everything new at night.
    fn erp(&mut self) -> Vec<Call> {
        let mut calls: Vec<Call> =
            (0..self.dice.range(1, 4)).map(|_| Call::send(self.at(self.partner.minute), "PUT", "/v1/stock")).collect();
        if self.local() == 2 {
            let n = (self.volume() * 7.0).ceil() as i64 + self.dice.range(0, 2);
            calls.extend(self.pages("/v1/orders", n, 100, "id,status,total,tax"));
            let n = (self.volume() * 3.0).ceil() as i64;
            calls.extend(self.pages("/v1/customers", n, 100, "id,name,country"));
            if self.weekday() == 6 {
                let n = self.shop.options.n_products.div_ceil(200) as i64;
                calls.extend(self.pages("/v1/products", n, 200, "id,title,price,stock"));
            }
        }
        calls
    }

    fn listings(&mut self) -> Vec<Call> {
        let n = self.dice.range(4, 7);
        let mut calls = self.pages("/v1/products", n, 200, "id,title,price,stock");
        for _ in 0..self.dice.poisson(self.volume() * 6.0) {
            calls.push(Call::send(self.anywhen(), "PUT", "/v1/prices"));
        }
        for _ in 0..self.dice.poisson(self.volume() * 4.0 * crate::user::demand(self.local())) {
            calls.push(Call::send(self.anywhen(), "POST", "/v1/orders"));
        }
        calls
    }

    /// People at a support desk look up single orders and customers.
    fn desk(&mut self, per_hour: f64, fields: &'static str) -> Vec<Call> {
        let n = self.dice.poisson(per_hour * self.volume() * self.office());
        let mut calls = Vec::new();
        for _ in 0..n {
            let at = self.anywhen();
            let (number, owner) = self.shop.past_order(self.dice);
            if self.dice.chance(0.5) {
                let id = self.dice.below(self.shop.users.len() as u64) + 100_000;
                calls.push(Call::get(at, "/v1/customers/{id}", format!("/v1/customers/{id}"), 1, fields));
            }
            let mut call = Call::get(at + 900, "/v1/orders/{id}", format!("/v1/orders/{number}"), 1, "id,status,items");
            call.order = Some((number, owner));
            calls.push(call);
        }
        calls
    }

    /// New and changed customers each half hour; on Mondays the week's segments.
    fn crm(&mut self) -> Vec<Call> {
        let mut calls = Vec::new();
        for half in [0, 30] {
            let at = self.at((self.partner.minute + half) % 60);
            let n = self.dice.poisson(self.volume() * 9.0 * crate::user::demand(self.local()));
            let path = "/v1/customers?updated_since=last".to_owned();
            calls.push(Call::get(at, "/v1/customers", path, n, "id,email,segment"));
        }
        if self.weekday() == 0 && self.local() == 9 {
            let n = self.shop.users.len().div_ceil(500) as i64;
            calls.extend(self.pages("/v1/customers", n, 500, "id,email,segment"));
        }
        calls
    }

    fn returns(&mut self) -> Vec<Call> {
        let mut calls = self.desk(9.0, "id,name,address");
        for _ in 0..self.dice.poisson(self.volume() * 2.0) {
            calls.push(Call::send(self.anywhen(), "POST", "/v1/returns"));
        }
        calls
    }
}
