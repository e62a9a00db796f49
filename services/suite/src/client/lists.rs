//! What several commands list.

use proto::routing::v1 as pb;

use super::{Session, patiently};
use crate::failure::Failure;

/// The most of one page.
const PAGE: i32 = 200;

/// Every team, by handle.
pub(crate) async fn teams(api: &Session) -> Result<Vec<pb::Team>, Failure> {
    let (mut teams, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = pb::ListTeamsRequest { page_size: PAGE, page_token };
        let page = patiently(|| {
            let (mut teams, request) = (api.teams(), request.clone());
            async move { teams.list_teams(request).await }
        });
        let page = page.await.map_err(|status| Failure::call("the teams", &status))?;
        teams.extend(page.teams);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(teams);
        }
    }
}
