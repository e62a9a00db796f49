//! `backchannel token`: a token for trying things out.

use std::process::ExitCode;
use std::time::Duration;

use kernel::{Clock, ContactId, Role};

use crate::dev_key::KeyFlags;
use crate::failure::{Failure, print};

#[derive(clap::Args)]
pub(crate) struct TokenArgs {
    #[command(flatten)]
    key: KeyFlags,
    /// Who: the name that all services use for this person; for a contact, the contact_id
    #[arg(long)]
    sub: String,
    /// contact, agent, supervisor, admin or integration
    #[arg(long, value_parser = role)]
    role: Role,
    /// What people call them
    #[arg(long, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    name: Option<String>,
    /// How long it is good for: a number with s, m, h or d
    #[arg(long, default_value = "15m", value_parser = span)]
    ttl: Duration,
}

/// Prints the token, and nothing else.
pub(crate) fn run(args: &TokenArgs) -> Result<ExitCode, Failure> {
    fits(args.role, &args.sub)?;
    let minter = args.key.minter(&Clock::system(), args.ttl)?;
    print(minter.mint(&args.sub, args.role, args.name.as_deref())?)?;
    Ok(ExitCode::SUCCESS)
}

/// Services know people inside by any name, and contacts by their id only.
fn fits(role: Role, subject: &str) -> Result<(), Failure> {
    if role != Role::Contact || ContactId::parse(subject).is_ok() {
        return Ok(());
    }
    Err(Failure(
        "--sub is not the id of a contact: that of a contact's token is their contact_id, a lowercase UUID such as \
         01890a5d-ac96-774b-bcce-b302099a8057; `backchannel export contacts --columns contact_id,display_name` lists them"
            .to_owned(),
    ))
}

/// Reads a role. Services make their own tokens.
fn role(text: &str) -> Result<Role, &'static str> {
    let role = Role::parse(text).ok().filter(|role| *role != Role::Service);
    role.ok_or("is not one of contact, agent, supervisor, admin and integration")
}

/// Reads a span of time such as `90s`, `15m`, `2h` or `1d`.
fn span(text: &str) -> Result<Duration, String> {
    let wanted = || format!("{text:?} is not a span of time such as 90s, 15m, 2h or 1d");
    let unit = text.chars().last().ok_or_else(wanted)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wanted()),
    };
    let count: u64 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| wanted())?;
    let total = count.checked_mul(seconds).filter(|total| (1..=31_536_000).contains(total));
    total.map(Duration::from_secs).ok_or_else(|| format!("{text:?} is not between 1s and 365d"))
}

#[cfg(test)]
mod tests {
    use super::*;

    // G8
    #[test]
    fn the_roles_that_are_named_are_those_that_are_taken() {
        let refused = role("boss").unwrap_err();
        for taken in Role::ALL {
            assert_eq!(refused.contains(taken.as_str()), role(taken.as_str()).is_ok(), "{taken}");
        }
    }

    // G8
    #[test]
    fn a_contacts_token_is_for_the_id_of_a_contact() {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        for wrong in ["cara", "", &id.to_uppercase(), &id[1..]] {
            let refused = fits(Role::Contact, wrong).unwrap_err().to_string();
            assert!(refused.contains("contact_id") && refused.contains("export contacts"), "{refused}");
        }
        assert!(fits(Role::Contact, id).is_ok() && fits(Role::Agent, "cara").is_ok());
    }

    // G8
    #[test]
    fn a_span_has_a_unit_and_stays_within_a_year() {
        assert_eq!(span("15m"), Ok(Duration::from_secs(900)));
        assert_eq!(span("2h"), Ok(Duration::from_secs(7_200)));
        for wrong in ["", "15", "m", "0s", "-1s", "400d", "1w", "99999999999999999999s", "1ä"] {
            assert!(span(wrong).is_err(), "{wrong}");
        }
    }
}
