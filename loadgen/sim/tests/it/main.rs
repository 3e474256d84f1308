//! The laboratory from outside, against figures that were worked out elsewhere.

mod below;
mod closed_form;
mod strategies;
mod worked_table;
