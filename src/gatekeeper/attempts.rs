//! Who fails to sign in too often has to wait. It must *not* know what was tried.
//!
//! Guessing 256 random bits is hopeless; what is kept small here is the noise: questions to the store and entries of the
//! audit log. Only failures count. An address that has used up its own is asked to wait; so is everybody when failures
//! come from very many addresses. Tokens of requests that are no sign-in are not slowed by it.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter};
use parking_lot::Mutex;
use riskgraph_domain::error::{Fault, FaultCode};

/// Failures of one address at once, and how soon another is forgiven: a person who mistypes never meets it.
const BURST_OF_ONE: NonZeroU32 = NonZeroU32::MIN.saturating_add(9);
const FORGIVEN_OF_ONE: Duration = Duration::from_secs(10);
/// Failures of all addresses at once, and how soon another is forgiven.
const BURST_OF_ALL: NonZeroU32 = NonZeroU32::MIN.saturating_add(499);
const FORGIVEN_OF_ALL: Duration = Duration::from_millis(200);
/// How often addresses that are forgiven are swept out, when there are too many.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// Addresses remembered; about 100 bytes each. When there are more, new ones share a place.
const ADDRESSES_MAX: usize = 10_000;

/// Failed attempts, by address and together.
pub(super) struct Attempts {
    of_one: DefaultKeyedRateLimiter<IpAddr>,
    of_all: DefaultDirectRateLimiter,
    clock: DefaultClock,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    until: HashMap<IpAddr, Instant>,
    all_until: Option<Instant>,
    swept_at: Option<Instant>,
    /// Attempts that were sent away unseen since the last one that was looked at.
    unseen: u64,
}

impl Default for Attempts {
    fn default() -> Self {
        let one = Quota::with_period(FORGIVEN_OF_ONE).unwrap_or(Quota::per_minute(BURST_OF_ONE));
        let all = Quota::with_period(FORGIVEN_OF_ALL).unwrap_or(Quota::per_second(BURST_OF_ALL));
        Self {
            of_one: RateLimiter::keyed(one.allow_burst(BURST_OF_ONE)),
            of_all: RateLimiter::direct(all.allow_burst(BURST_OF_ALL)),
            clock: DefaultClock::default(),
            waiting: Mutex::default(),
        }
    }
}

impl Attempts {
    /// Refuses an attempt from an address that has to wait.
    pub(super) fn admit(&self, from: Option<IpAddr>) -> Result<(), Fault> {
        let now = Instant::now();
        let mut waiting = self.waiting.lock();
        let own = waiting.until.get(&place(from)).copied();
        let until = own.into_iter().chain(waiting.all_until).max().filter(|&until| until > now);
        let Some(until) = until else { return Ok(()) };
        waiting.unseen = waiting.unseen.saturating_add(1);
        let seconds = u32::try_from((until - now).as_secs()).unwrap_or(u32::MAX).saturating_add(1);
        Err(Fault {
            retry_after_s: Some(seconds),
            ..Fault::new(FaultCode::RateLimited, "too many failed sign-ins; wait before you try again")
        })
    }

    /// Counts a failure; says how many attempts were sent away unseen before it.
    pub(super) fn fail(&self, from: Option<IpAddr>) -> u64 {
        self.sweep();
        let crowded = self.of_one.len() >= ADDRESSES_MAX;
        let place = if crowded { IpAddr::V6(Ipv6Addr::UNSPECIFIED) } else { place(from) };
        let own = self.of_one.check_key(&place).err().map(|no| no.wait_time_from(self.clock.now()));
        let all = self.of_all.check().err().map(|no| no.wait_time_from(self.clock.now()));
        let now = Instant::now();
        let mut waiting = self.waiting.lock();
        if let Some(wait) = own
            && waiting.until.len() < ADDRESSES_MAX
        {
            waiting.until.insert(place, now + wait);
        }
        if let Some(wait) = all {
            waiting.all_until = Some(now + wait);
        }
        std::mem::take(&mut waiting.unseen)
    }

    /// Forgets who is forgiven, when too many are remembered; seldom, for it looks at all of them.
    fn sweep(&self) {
        let now = Instant::now();
        let mut waiting = self.waiting.lock();
        let is_full = self.of_one.len() >= ADDRESSES_MAX || waiting.until.len() >= ADDRESSES_MAX;
        if is_full && waiting.swept_at.is_none_or(|at| now - at >= SWEEP_EVERY) {
            waiting.swept_at = Some(now);
            waiting.until.retain(|_, until| *until > now);
            self.of_one.retain_recent();
        }
    }
}

/// What counts as one address: of IPv6 the network of 64 bits, which is what one customer gets.
fn place(from: Option<IpAddr>) -> IpAddr {
    match from.map(|address| address.to_canonical()) {
        Some(IpAddr::V6(address)) => {
            let s = address.segments();
            IpAddr::V6(Ipv6Addr::new(s[0], s[1], s[2], s[3], 0, 0, 0, 0))
        }
        Some(address) => address,
        None => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(text: &str) -> Option<IpAddr> {
        Some(text.parse().expect("an address"))
    }

    #[test]
    fn who_fails_often_waits_and_others_do_not() {
        let attempts = Attempts::default();
        let (bad, good) = (from("192.0.2.1"), from("192.0.2.2"));
        for _ in 0..BURST_OF_ONE.get() {
            assert_eq!(attempts.admit(bad), Ok(()));
            assert_eq!(attempts.fail(bad), 0);
        }
        attempts.fail(bad);
        let refused = attempts.admit(bad).expect_err("has to wait");
        assert_eq!(refused.code, FaultCode::RateLimited);
        assert!(refused.retry_after_s.is_some_and(|s| (1..=11).contains(&s)), "{refused:?}");
        assert_eq!(attempts.admit(good), Ok(()));
        assert_eq!(attempts.fail(good), 1, "one was sent away unseen");
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        assert_eq!(place(from("2001:db8:1:2::1")), place(from("2001:db8:1:2:ffff::9")));
        assert_ne!(place(from("2001:db8:1:2::1")), place(from("2001:db8:1:3::1")));
        assert_eq!(place(from("::ffff:192.0.2.1")), place(from("192.0.2.1")));
    }

    #[test]
    fn very_many_addresses_wait_together_and_take_bounded_memory() {
        let attempts = Attempts::default();
        for n in 0..2 * ADDRESSES_MAX as u32 {
            attempts.fail(Some(IpAddr::V4(n.into())));
        }
        assert!(attempts.of_one.len() <= ADDRESSES_MAX + 1);
        assert!(attempts.waiting.lock().until.len() <= ADDRESSES_MAX);
        assert!(attempts.admit(from("198.51.100.7")).is_err(), "all wait");
    }
}
