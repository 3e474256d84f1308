//! The laboratory from outside, against figures that were worked out elsewhere.

mod closed_form;
mod worked_table;
