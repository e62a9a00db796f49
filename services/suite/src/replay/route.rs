//! The workflow that sends a source to a team.

use kernel::Clock;
use proto::routing::v1 as pb;
use tonic::Status;

use crate::client::{Session, patiently};
use crate::failure::Failure;

/// Sends conversations of a source to where these actions say by a workflow of this name, which is made if there is none.
pub(super) async fn route(
    admin: &Session,
    name: &str,
    position: i32,
    source: &str,
    actions: Vec<pb::action::Action>,
) -> Result<(), Failure> {
    let failed = |status: Status| Failure::call(name, &status);
    if is_there(admin, name).await.map_err(failed)? {
        return Ok(());
    }
    let request = pb::CreateWorkflowRequest {
        spec: Some(pb::WorkflowSpec {
            name: name.to_owned(),
            position,
            trigger: pb::Trigger::ConversationCreated.into(),
            condition: format!("conversation.source == {}", quoted(source)),
            actions: actions.into_iter().map(|action| pb::Action { action: Some(action) }).collect(),
            ..Default::default()
        }),
        // A retry after a lost answer must not make a second one.
        request_id: Clock::system().new_id().to_string(),
    };
    let made = patiently(|| {
        let (mut workflows, request) = (admin.workflows(), request.clone());
        async move { workflows.create_workflow(request).await }
    });
    made.await.map(drop).map_err(failed)
}

async fn is_there(admin: &Session, name: &str) -> Result<bool, Status> {
    let mut request = pb::ListWorkflowsRequest { page_size: 200, ..Default::default() };
    loop {
        let page = patiently(|| {
            let (mut workflows, request) = (admin.workflows(), request.clone());
            async move { workflows.list_workflows(request).await }
        })
        .await?;
        if page.workflows.iter().any(|workflow| workflow.name == name) {
            return Ok(true);
        }
        if page.next_page_token.is_empty() {
            return Ok(false);
        }
        request.page_token = page.next_page_token;
    }
}

/// A text as a CEL string. JSON's escapes are CEL's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
