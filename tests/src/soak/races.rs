//! Publishers, rollbacks, garbage collection and kills against readers of every kind.

/// Publishers, rollbacks, gc, recovery and kills against readers of every kind, each reading checked
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// How many readings to make
    #[arg(long, default_value_t = 1_000_000)]
    pub readings: u64,
    /// Where the random choices come from [default: drawn, and printed]
    #[arg(long)]
    pub seed: Option<u64>,
    /// Stop after so many minutes, whatever has been read
    #[arg(long)]
    pub minutes: Option<u64>,
}
