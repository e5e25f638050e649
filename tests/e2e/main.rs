//! The end-to-end tests: the real binary, real git, real processes, in a sealed bench.
//!
//! One binary for all of them, so that they are linked once.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test stops at the first surprise, and starts what it likes"
)]
#![expect(
    clippy::too_many_lines,
    reason = "a snapshot is as long as the answer that it holds"
)]

mod archive;
mod authorship;
mod background;
mod batch;
mod bystander;
mod caches;
mod campaigns;
mod cases;
mod ceilings;
mod cheats;
mod cleaning;
mod commands;
mod concurrency;
mod config;
mod config_text;
mod crash;
mod debug;
mod demo;
mod disk;
mod documented;
mod domains;
mod empty_places;
mod fix;
mod fix_runs;
mod fix_tables;
mod fix_truth;
mod flaky_guard;
mod foreign;
mod full_disk;
mod gauges;
mod git_cases;
mod guard;
mod heads;
mod holdout;
mod hooks;
mod install;
mod isolation;
mod jumps;
mod kill;
mod ladder;
mod leftovers;
mod lessons;
mod locks;
mod looking;
mod loops;
mod migration;
mod muted_trials;
mod muting;
mod noise;
mod not_taken;
mod numbers;
mod openings;
mod outputs;
mod own_files;
mod places;
mod processes;
mod reaction;
mod ready_trees;
mod refusals;
mod remeasured;
mod retried;
mod rules;
mod sacred;
mod sandboxes;
mod scan;
mod ship;
mod shown;
mod shown_again;
mod state_folder;
mod still_open;
mod subject;
mod summary;
mod suspects;
mod templates;
mod templates_tried;
mod testbed;
mod told;
mod tree_places;
mod trial_references;
mod trust;
mod unattended;
mod unattended_batches;
mod under_way;
mod unseen;
mod user_settings;
mod varied_runs;
mod views;
mod warnings;
mod weak_keeps;
mod wiped;
mod work_trees;
mod yardstick;
