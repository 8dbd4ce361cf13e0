//! Reports: one model of what a report says, and its renderings as HTML, PDF, CSV and JSON, signed. Pure: it must *not* know
//! stores, clocks or where the figures come from.
