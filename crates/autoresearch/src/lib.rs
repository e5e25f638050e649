//! How codex-autoresearch does it: git, processes, the files of a run, and the commands made of them.
//!
//! The code map, the import edges and the journal protocol are in `crates/ARCHITECTURE.md`.

pub mod agent;
pub mod aside;
pub mod background;
pub mod baseline;
pub mod batch;
pub mod bystander;
pub mod cli;
pub mod codex;
pub mod config;
pub mod demo;
pub mod doctor;
pub mod driver;
pub mod ending;
pub mod env;
pub mod error;
pub mod exec;
pub mod git;
pub mod hooks;
pub mod install;
pub mod inventory;
pub mod lessons;
pub mod log;
pub mod measure;
pub mod preflight;
pub mod propose;
pub mod repair;
pub mod report;
pub mod resume;
pub mod rules;
pub mod run;
pub mod session;
pub mod start;
pub mod status;
pub mod store;
pub mod strategy;
pub mod supervise;
pub mod survey;
pub mod templates;
pub mod times;
pub mod trial;
pub mod under_way;
pub mod undo;
pub mod yaml;
pub mod yardstick;
