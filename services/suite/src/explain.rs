//! `backchannel explain`: a stored decision as people read it.

use std::collections::HashMap;
use std::fmt::Write;
use std::process::ExitCode;
use std::time::Duration;

use kernel::{Clock, Role};
use proto::routing::v1 as pb;

use crate::client::{AddressFlags, patiently, teams};
use crate::dev_key::KeyFlags;
use crate::failure::{Failure, print};

#[derive(clap::Args)]
pub(crate) struct ExplainArgs {
    /// The conversation
    conversation_id: String,
    #[command(flatten)]
    api: AddressFlags,
    #[command(flatten)]
    key: KeyFlags,
}

/// Asks for the decisions on a conversation and prints them, newest first.
pub(crate) fn run(args: ExplainArgs) -> Result<ExitCode, Failure> {
    let token =
        args.key.minter(&Clock::system(), Duration::from_secs(60))?.mint("explain", Role::Admin, None)?;
    let threads = tokio::runtime::Runtime::new().map_err(|error| Failure::because("no threads", error))?;
    let (decisions, teams) = threads.block_on(async {
        let api = args.api.connect().await?.bearing(&token)?;
        let request = pb::ExplainAssignmentRequest {
            conversation_id: args.conversation_id.clone(),
            ..Default::default()
        };
        let answer = patiently(|| {
            let (mut assignments, request) = (api.assignments(), request.clone());
            async move { assignments.explain_assignment(request).await }
        })
        .await;
        let decisions = answer.map_err(|status| Failure::call(&args.conversation_id, &status))?.decisions;
        let known = if decisions.is_empty() { Vec::new() } else { teams(&api).await? };
        let handles = known.into_iter().map(|team| (team.team_id, team.handle)).collect();
        Ok::<(_, HashMap<String, String>), Failure>((decisions, handles))
    })?;
    if decisions.is_empty() {
        print("Nothing has been decided on this conversation yet: ask again in a moment.")?;
    }
    for decision in &decisions {
        let told = told(decision, &teams);
        print(told.strip_suffix('\n').unwrap_or(&told))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// One decision as text.
fn told(decision: &pb::Decision, teams: &HashMap<String, String>) -> String {
    let mut text = format!("{}\n", decision.summary);
    let when = decision.decide_time.map(|time| time.to_string()).unwrap_or_default();
    let _ = writeln!(
        text,
        "  decided   {when}  because of {}",
        name(decision.cause().as_str_name(), "DECISION_CAUSE_")
    );
    if let Some(person) = &decision.decided_by {
        let _ = writeln!(text, "  by        {}", called(person));
    }
    if !decision.team_id.is_empty() {
        // A team that is gone has its id left.
        let team =
            teams.get(&decision.team_id).map_or(decision.team_id.clone(), |handle| format!("@{handle}"));
        // A person who decides goes by no strategy.
        let strategy = match decision.strategy() {
            pb::Strategy::Unspecified => String::new(),
            strategy => format!("  {}", name(strategy.as_str_name(), "STRATEGY_")),
        };
        let _ = writeln!(text, "  team      {team}{strategy}");
    }
    for workflow in &decision.workflows {
        let verdict = name(workflow.verdict().as_str_name(), "WORKFLOW_VERDICT_");
        let detail =
            if workflow.detail.is_empty() { String::new() } else { format!(": {}", workflow.detail) };
        let _ = writeln!(text, "  workflow  {:<24} {verdict}{detail}", workflow.name);
    }
    for candidate in &decision.candidates {
        let who = candidate.agent.as_ref().map(called).unwrap_or_default();
        let verdict = match candidate.exclusion() {
            pb::Exclusion::Unspecified => "got it".to_owned(),
            why => name(why.as_str_name(), "EXCLUSION_"),
        };
        let room = match candidate.capacity_units {
            0 => String::new(),
            most => format!(", {} of {most} units", candidate.open_units),
        };
        let open = candidate.open_conversation_count;
        let _ = writeln!(text, "  candidate {who:<24} {verdict:<16} {open} open{room}");
    }
    text.push('\n');
    text
}

fn called(person: &pb::Person) -> String {
    if person.display_name.is_empty() { format!("@{}", person.username) } else { person.display_name.clone() }
}

fn name(value: &str, prefix: &str) -> String {
    value.trim_start_matches(prefix).to_lowercase().replace('_', " ")
}
