//! Where countries lie, roughly: enough to tell a flight from a teleport.
//!
//! Public knowledge rounded to whole degrees: the middle of each country and how far its people live from it.

/// Mean radius of the Earth.
const EARTH_KM: f64 = 6_371.0;

/// Kilometres between the nearest plausible places of two countries; `None` when one is unknown.
#[must_use]
pub(super) fn distance_km(a: [u8; 2], b: [u8; 2]) -> Option<f64> {
    let ((lat_a, lon_a, reach_a), (lat_b, lon_b, reach_b)) = (place(a)?, place(b)?);
    let half = |from: f64, to: f64| ((to - from).to_radians() / 2.0).sin().powi(2);
    let h = half(lat_a, lat_b) + lat_a.to_radians().cos() * lat_b.to_radians().cos() * half(lon_a, lon_b);
    Some((2.0 * EARTH_KM * h.sqrt().min(1.0).asin() - reach_a - reach_b).max(0.0))
}

fn place(code: [u8; 2]) -> Option<(f64, f64, f64)> {
    let code = std::str::from_utf8(&code).ok()?;
    let found = COUNTRIES.binary_search_by(|(name, ..)| (*name).cmp(code)).ok()?;
    let (_, lat, lon, reach) = COUNTRIES.get(found)?;
    Some((f64::from(*lat), f64::from(*lon), f64::from(*reach) * 100.0))
}

/// Code, latitude, longitude, reach in hundreds of kilometres; sorted by code.
const COUNTRIES: &[(&str, i16, i16, u8)] = &[
    ("AD", 43, 2, 1),
    ("AE", 24, 54, 3),
    ("AF", 34, 68, 6),
    ("AG", 17, -62, 1),
    ("AL", 41, 20, 2),
    ("AM", 40, 45, 2),
    ("AO", -11, 18, 8),
    ("AR", -38, -64, 17),
    ("AT", 48, 14, 3),
    ("AU", -25, 134, 20),
    ("AZ", 40, 48, 3),
    ("BA", 44, 18, 2),
    ("BB", 13, -60, 1),
    ("BD", 24, 90, 3),
    ("BE", 50, 4, 2),
    ("BF", 12, -2, 4),
    ("BG", 43, 25, 3),
    ("BH", 26, 51, 1),
    ("BI", -3, 30, 1),
    ("BJ", 9, 2, 4),
    ("BN", 5, 115, 1),
    ("BO", -16, -64, 7),
    ("BR", -14, -52, 20),
    ("BS", 25, -77, 3),
    ("BT", 27, 90, 2),
    ("BW", -22, 25, 5),
    ("BY", 54, 28, 3),
    ("BZ", 17, -89, 2),
    ("CA", 56, -106, 26),
    ("CD", -4, 22, 10),
    ("CF", 7, 21, 6),
    ("CG", 0, 16, 5),
    ("CH", 47, 8, 2),
    ("CI", 8, -6, 4),
    ("CL", -36, -71, 20),
    ("CM", 7, 12, 6),
    ("CN", 36, 104, 22),
    ("CO", 5, -74, 7),
    ("CR", 10, -84, 2),
    ("CU", 22, -78, 5),
    ("CV", 16, -24, 2),
    ("CY", 35, 33, 1),
    ("CZ", 50, 15, 3),
    ("DE", 51, 10, 4),
    ("DJ", 12, 43, 1),
    ("DK", 56, 10, 3),
    ("DO", 19, -70, 2),
    ("DZ", 28, 2, 10),
    ("EC", -2, -78, 4),
    ("EE", 59, 25, 2),
    ("EG", 27, 31, 5),
    ("ER", 15, 39, 4),
    ("ES", 40, -4, 6),
    ("ET", 9, 40, 7),
    ("FI", 62, 26, 6),
    ("FJ", -18, 178, 2),
    ("FR", 46, 2, 6),
    ("GA", -1, 12, 3),
    ("GB", 54, -2, 5),
    ("GE", 42, 43, 2),
    ("GH", 8, -1, 3),
    ("GM", 13, -15, 2),
    ("GN", 10, -10, 4),
    ("GR", 39, 22, 4),
    ("GT", 16, -90, 2),
    ("GY", 5, -59, 4),
    ("HK", 22, 114, 1),
    ("HN", 15, -86, 3),
    ("HR", 45, 16, 3),
    ("HT", 19, -72, 2),
    ("HU", 47, 20, 3),
    ("ID", -2, 113, 22),
    ("IE", 53, -8, 2),
    ("IL", 31, 35, 2),
    ("IN", 21, 79, 15),
    ("IQ", 33, 44, 5),
    ("IR", 32, 54, 9),
    ("IS", 65, -18, 3),
    ("IT", 42, 13, 6),
    ("JM", 18, -77, 1),
    ("JO", 31, 36, 2),
    ("JP", 36, 138, 11),
    ("KE", 0, 38, 5),
    ("KG", 41, 75, 4),
    ("KH", 13, 105, 3),
    ("KP", 40, 127, 3),
    ("KR", 36, 128, 3),
    ("KW", 29, 48, 1),
    ("KZ", 48, 67, 14),
    ("LA", 20, 102, 5),
    ("LB", 34, 36, 1),
    ("LI", 47, 10, 1),
    ("LK", 8, 81, 2),
    ("LR", 6, -9, 2),
    ("LS", -30, 28, 1),
    ("LT", 55, 24, 2),
    ("LU", 50, 6, 1),
    ("LV", 57, 25, 2),
    ("LY", 26, 17, 8),
    ("MA", 32, -7, 7),
    ("MC", 44, 7, 1),
    ("MD", 47, 28, 2),
    ("ME", 43, 19, 1),
    ("MG", -19, 47, 7),
    ("MK", 42, 22, 1),
    ("ML", 17, -4, 9),
    ("MM", 22, 96, 9),
    ("MN", 46, 104, 11),
    ("MO", 22, 114, 1),
    ("MR", 21, -11, 6),
    ("MT", 36, 14, 1),
    ("MU", -20, 57, 1),
    ("MV", 3, 73, 4),
    ("MW", -13, 34, 4),
    ("MX", 24, -103, 15),
    ("MY", 4, 109, 9),
    ("MZ", -19, 36, 10),
    ("NA", -23, 18, 6),
    ("NE", 18, 8, 7),
    ("NG", 9, 9, 6),
    ("NI", 13, -85, 3),
    ("NL", 52, 5, 2),
    ("NO", 62, 10, 9),
    ("NP", 28, 84, 4),
    ("NZ", -41, 175, 8),
    ("OM", 22, 56, 5),
    ("PA", 9, -81, 3),
    ("PE", -9, -75, 9),
    ("PG", -6, 144, 7),
    ("PH", 13, 122, 9),
    ("PK", 30, 69, 8),
    ("PL", 52, 19, 4),
    ("PR", 18, -66, 1),
    ("PS", 32, 35, 1),
    ("PT", 39, -8, 3),
    ("PY", -23, -58, 5),
    ("QA", 25, 51, 1),
    ("RO", 46, 25, 4),
    ("RS", 44, 21, 2),
    ("RU", 60, 80, 40),
    ("RW", -2, 30, 1),
    ("SA", 24, 45, 10),
    ("SC", -5, 55, 2),
    ("SD", 13, 30, 8),
    ("SE", 60, 17, 8),
    ("SG", 1, 104, 1),
    ("SI", 46, 15, 1),
    ("SK", 49, 20, 2),
    ("SL", 8, -12, 2),
    ("SM", 44, 12, 1),
    ("SN", 14, -14, 3),
    ("SO", 5, 46, 8),
    ("SR", 4, -56, 3),
    ("SV", 14, -89, 1),
    ("SY", 35, 39, 4),
    ("SZ", -27, 31, 1),
    ("TD", 15, 19, 8),
    ("TG", 8, 1, 3),
    ("TH", 15, 101, 8),
    ("TJ", 39, 71, 3),
    ("TL", -9, 126, 2),
    ("TM", 39, 60, 6),
    ("TN", 34, 10, 4),
    ("TR", 39, 35, 8),
    ("TT", 11, -61, 1),
    ("TW", 24, 121, 2),
    ("TZ", -6, 35, 6),
    ("UA", 48, 31, 7),
    ("UG", 1, 32, 3),
    ("US", 39, -98, 25),
    ("UY", -33, -56, 3),
    ("UZ", 41, 65, 7),
    ("VA", 42, 12, 1),
    ("VE", 6, -67, 7),
    ("VN", 16, 107, 9),
    ("XK", 43, 21, 1),
    ("YE", 16, 48, 5),
    ("ZA", -29, 25, 8),
    ("ZM", -13, 28, 6),
    ("ZW", -19, 30, 4),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_far_from_near() {
        assert!(COUNTRIES.is_sorted_by(|a, b| a.0 < b.0), "binary search needs order");
        let check = |a: &[u8; 2], b: &[u8; 2], low: f64, high: f64| {
            let km = distance_km(*a, *b).expect("known");
            assert!((low..=high).contains(&km), "{a:?} {b:?}: {km}");
        };
        check(b"SE", b"NO", 0.0, 0.0);
        check(b"DE", b"AT", 0.0, 0.0);
        check(b"SE", b"BR", 6_000.0, 10_000.0);
        check(b"GB", b"SG", 9_500.0, 11_000.0);
        check(b"FJ", b"NZ", 0.0, 2_000.0);
        assert_eq!(distance_km(*b"SE", *b"ZZ"), None);
    }
}
