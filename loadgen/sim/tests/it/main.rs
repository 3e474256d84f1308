//! The laboratory from outside, against figures that were worked out elsewhere.

mod closed_form;
mod strategies;
mod worked_table;
