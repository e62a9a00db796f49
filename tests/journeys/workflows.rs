//! What a workflow does elsewhere: a note in notes, an alert in notifications, and nothing that the customer sees.

use kernel::Role;
use proto::notes::v1 as notes;
use proto::notifications::v1::NotificationType;
use proto::routing::v1 as pb;

use crate::cast::{Ear, assigned, customer_writes, eventually, message, route, team};
use crate::privacy::seen_by_contact;
use crate::world::{World, in_every_shape};

in_every_shape! {
    // R9 N3 D1
    async fn a_workflow_writes_a_note_and_tells_a_team_and_the_customer_sees_nothing_of_it(world: World) {
        let team = team(&world, "legal", &["ana"]).await;
        let ana = &team.agents[0].api;
        let mut ear = Ear::open(ana).await;
        let further = vec![
            pb::action::Action::AddNote(pb::AddNote { text: "Ask @legal before you answer".into() }),
            pb::action::Action::Notify(pb::NotifyPeople {
                team_id: team.team_id.clone(),
                reason: "Somebody speaks of a lawyer.".into(),
                ..Default::default()
            }),
        ];
        route(&world, "shop", &team.team_id, further).await;
        let began = customer_writes(&world, message("shop", "w-1", 0, "my lawyer will call")).await;
        let it = assigned(&world, &began.conversation.unwrap().conversation_id).await;

        let told = ear.hears_of(NotificationType::Workflow).await;
        assert_eq!(told.reason, "Workflow \"to shop\": Somebody speaks of a lawyer.");
        assert_eq!((told.conversation_id, told.actor), (it.conversation_id.clone(), None));
        let note = eventually("the note is there", || async {
            let list =
                notes::ListNotesRequest { conversation_id: it.conversation_id.clone(), ..Default::default() };
            let listed = world.as_one("paula", Role::Supervisor).notes().list_notes(list).await;
            listed.unwrap().into_inner().notes.pop()
        })
        .await;
        assert_eq!(note.body, "Ask @legal before you answer");
        assert_eq!(note.author.unwrap().display_name, "workflow to shop");
        let seen = format!("{:?}", seen_by_contact(&world, &it).await);
        assert!(!seen.contains("legal") && !seen.contains("lawyer."), "{seen}");
        world.stop().await;
    }
}
