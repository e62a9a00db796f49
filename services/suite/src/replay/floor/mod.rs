//! One team for everything: who gets a conversation depends on what they are good at, how much they have, whether they are there, and
//! whether they want it.
//!
//! | module | story |
//! |---|---|
//! | [`people`] | who is good at what |
//! | [`work`] | agents answer what they are offered, and finish what they have |
//! | [`churn`] | agents come and go |
//! | [`account`] | what was decided, how fast, and how evenly |

pub(super) mod account;
mod churn;
mod people;
mod work;

pub(super) use people::{Floor, NAME};
pub(super) use work::Shift;

/// How the floor is staffed.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct FloorArgs {
    /// One team for all sources: each source is a skill, and each agent has two thirds of them
    #[arg(long, conflicts_with = "agents_per_team")]
    pub(super) skills: bool,
    /// With --skills: agents of the team
    #[arg(long, requires = "skills", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=200))]
    agents: u32,
    /// With --skills: conversations an agent gets at once, of which they finish one a second; 0: as many as there are
    #[arg(long, requires = "skills", default_value_t = 0, value_parser = clap::value_parser!(i32).range(0..=10_000))]
    capacity: i32,
    /// With --skills: agents go offline and come back, a fifth of them is away at any time, until all is recorded
    #[arg(long, requires = "skills")]
    churn: bool,
    /// With --skills: agents are asked first, and decline this share of what they are offered, such as 0.1
    #[arg(long, requires = "skills", value_name = "SHARE", value_parser = share)]
    reject: Option<f64>,
}

/// Reads a share of which something is left.
fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=0.9).contains(share));
    share.ok_or_else(|| format!("{text:?} is not a number from 0 to 0.9"))
}

#[cfg(test)]
mod tests {
    use super::share;

    // P13
    #[test]
    fn somebody_has_to_take_something() {
        assert_eq!((share("0"), share("0.1"), share("0.9")), (Ok(0.0), Ok(0.1), Ok(0.9)));
        for wrong in ["1", "-0.1", "NaN", "ten", ""] {
            assert!(share(wrong).unwrap_err().contains("from 0 to 0.9"), "{wrong}");
        }
    }
}
