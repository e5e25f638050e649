//! Owns `BusyCores`: threads that keep every core busy while a command runs beside them.
//! Does not measure anything, and starts no process.
//! Invariant: they are threads of the runner, so they are gone with it, however it ends, and no time of the command's
//! processes is theirs.

use std::hint::black_box;
use std::io;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Builder, JoinHandle};

/// Steps between two looks at whether it is over.
const STEPS: u32 = 1 << 16;

/// One busy thread for each core that this process may use. Dropping it ends them.
pub(super) struct BusyCores {
    is_over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl BusyCores {
    pub(super) fn start() -> io::Result<Self> {
        let mut busy = Self {
            is_over: Arc::new(AtomicBool::new(false)),
            threads: Vec::new(),
        };
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            let is_over = Arc::clone(&busy.is_over);
            let thread = Builder::new().spawn(move || keep_busy(&is_over))?;
            busy.threads.push(thread);
        }
        Ok(busy)
    }
}

impl Drop for BusyCores {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn keep_busy(is_over: &AtomicBool) {
    let mut state = 1_u64;
    while !is_over.load(Ordering::Relaxed) {
        for _ in 0..STEPS {
            state = black_box(
                state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1),
            );
        }
    }
}
