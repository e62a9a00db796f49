//! Whatever is changed behind the program's back is found, and named.

use audit::{Defect, Finding, Head};
use db::both_databases;

use crate::support::{MIGRATIONS, intact, record, seal, tamper, verify};

fn broken(found: Finding) -> (Defect, i64, bool) {
    match found {
        Finding::Broken { defect, sequence, event_id } => (defect, sequence, event_id.is_some()),
        Finding::Intact => panic!("nothing was found"),
    }
}

// P10
both_databases!(what_nobody_changed_is_intact, MIGRATIONS, |db| async move {
    assert_eq!(intact(&db, "acme").await, Head::start("notes", "acme"), "an empty chain");
    record(&db, "acme", 0..7).await;
    record(&db, "globex", 0..3).await;
    assert_eq!(intact(&db, "acme").await.sequence, 0, "nothing is sealed yet");
    assert_eq!(seal(&db).await, 10);
    let first = intact(&db, "acme").await;
    assert_eq!((first.sequence, intact(&db, "globex").await.sequence), (7, 3));
    record(&db, "acme", 7..9).await;
    assert_eq!(seal(&db).await, 2);
    let (found, head) = verify(&db, "acme", Some(first)).await;
    assert_eq!((found, head.unwrap().sequence), (Finding::Intact, 9), "it goes through the head of before");
});

// P10
both_databases!(an_altered_record_is_named_whatever_was_altered, MIGRATIONS, |db| async move {
    record(&db, "acme", 0..5).await;
    seal(&db).await;
    for (change, back) in [
        ("actor_subject = 'eve'", "actor_subject = 'ana'"),
        ("actor_role = 'admin'", "actor_role = 'agent'"),
        ("action = 'note.delete'", "action = 'note.create'"),
        ("object_kind = 'contact'", "object_kind = 'note'"),
        ("object_id = '77'", "object_id = '2'"),
        ("method = 'x'", "method = '/backchannel.notes.v1.NoteService/CreateNote'"),
        ("request_id = event_id", "request_id = NULL"),
        ("trace_id = ''", "trace_id = NULL"),
    ] {
        let altered = format!("UPDATE audit_events SET {change} WHERE org_id = 'acme' AND sequence = 3");
        assert_eq!(tamper(&db, &altered).await, 1);
        let (found, _) = verify(&db, "acme", None).await;
        assert_eq!(broken(found), (Defect::Altered, 3, true), "{change}");
        tamper(&db, &format!("UPDATE audit_events SET {back} WHERE org_id = 'acme' AND sequence = 3")).await;
        intact(&db, "acme").await;
    }
});

// P10
both_databases!(a_removed_record_is_named_in_the_middle_and_at_the_end, MIGRATIONS, |db| async move {
    record(&db, "acme", 0..5).await;
    record(&db, "globex", 0..5).await;
    seal(&db).await;
    tamper(&db, "DELETE FROM audit_events WHERE org_id = 'acme' AND sequence = 2").await;
    tamper(&db, "DELETE FROM audit_events WHERE org_id = 'globex' AND sequence = 5").await;
    assert_eq!(broken(verify(&db, "acme", None).await.0), (Defect::Removed, 2, false));
    assert_eq!(broken(verify(&db, "globex", None).await.0), (Defect::Removed, 5, false), "cut short");
    tamper(&db, "DELETE FROM audit_events WHERE org_id = 'globex'").await;
    assert_eq!(broken(verify(&db, "globex", None).await.0), (Defect::Removed, 1, false), "all of them");
});

// P10
both_databases!(a_gap_that_is_closed_by_renumbering_is_found, MIGRATIONS, |db| async move {
    record(&db, "acme", 0..5).await;
    seal(&db).await;
    tamper(&db, "DELETE FROM audit_events WHERE org_id = 'acme' AND sequence = 2").await;
    for sequence in 3..=5 {
        let moved = format!(
            "UPDATE audit_events SET sequence = {sequence} - 1 WHERE org_id = 'acme' AND sequence = {sequence}"
        );
        tamper(&db, &moved).await;
    }
    tamper(&db, "UPDATE audit_heads SET sequence = 4 WHERE org_id = 'acme'").await;
    assert_eq!(broken(verify(&db, "acme", None).await.0), (Defect::Altered, 2, true));
});

// P10
both_databases!(a_record_that_was_put_in_is_named, MIGRATIONS, |db| async move {
    record(&db, "acme", 0..3).await;
    seal(&db).await;
    record(&db, "globex", 0..1).await;
    seal(&db).await;
    // A row of another chain, carried here: before the beginning, then behind the head.
    for sequence in [0, 4] {
        let insert =
            format!("UPDATE audit_events SET org_id = 'acme', sequence = {sequence} WHERE org_id = 'globex'");
        assert_eq!(tamper(&db, &insert).await, 1);
        assert_eq!(broken(verify(&db, "acme", None).await.0), (Defect::Inserted, sequence, true));
        let back = format!(
            "UPDATE audit_events SET org_id = 'globex', sequence = 1 WHERE org_id = 'acme' AND sequence = {sequence}"
        );
        tamper(&db, &back).await;
    }
    intact(&db, "acme").await;
    intact(&db, "globex").await;
    // With the head moved to cover it, it does not fit its hash.
    tamper(&db, "UPDATE audit_events SET org_id = 'acme', sequence = 4 WHERE org_id = 'globex'").await;
    tamper(&db, "UPDATE audit_heads SET sequence = 4 WHERE org_id = 'acme'").await;
    assert_eq!(broken(verify(&db, "acme", None).await.0), (Defect::Altered, 4, true));
});

// P10
both_databases!(a_head_that_was_changed_is_found, MIGRATIONS, |db| async move {
    for name in ["acme", "globex", "hooli"] {
        record(&db, name, 0..3).await;
    }
    seal(&db).await;
    let other = "(SELECT hash FROM audit_events WHERE org_id = 'acme' AND sequence = 1)";
    tamper(&db, &format!("UPDATE audit_heads SET hash = {other} WHERE org_id = 'acme'")).await;
    tamper(&db, "DELETE FROM audit_heads WHERE org_id = 'globex'").await;
    tamper(&db, "UPDATE audit_heads SET sequence = 9 WHERE org_id = 'hooli'").await;
    assert_eq!(broken(verify(&db, "acme", None).await.0), (Defect::HeadAltered, 3, false));
    assert_eq!(broken(verify(&db, "globex", None).await.0), (Defect::HeadAltered, 3, false));
    assert_eq!(broken(verify(&db, "hooli", None).await.0), (Defect::Removed, 4, false));
});

// P10: what hashes alone cannot show, and a head kept elsewhere does.
both_databases!(a_chain_that_was_written_anew_shows_by_a_head_that_was_kept, MIGRATIONS, |db| async move {
    record(&db, "acme", 0..5).await;
    seal(&db).await;
    let kept = intact(&db, "acme").await;
    // Cut short, with a head to match.
    tamper(&db, "DELETE FROM audit_events WHERE org_id = 'acme' AND sequence = 5").await;
    let last = "(SELECT hash FROM audit_events WHERE org_id = 'acme' AND sequence = 4)";
    tamper(&db, &format!("UPDATE audit_heads SET sequence = 4, hash = {last} WHERE org_id = 'acme'")).await;
    assert_eq!(intact(&db, "acme").await.sequence, 4, "by itself it looks whole");
    assert_eq!(broken(verify(&db, "acme", Some(kept)).await.0), (Defect::Removed, 5, false));
    // Gone on with since: another fifth record.
    record(&db, "acme", 5..7).await;
    seal(&db).await;
    assert_eq!(intact(&db, "acme").await.sequence, 6, "by itself it looks whole");
    assert_eq!(broken(verify(&db, "acme", Some(kept)).await.0), (Defect::Rewritten, 5, true));
    // All of it gone.
    tamper(&db, "DELETE FROM audit_events WHERE org_id = 'acme'").await;
    tamper(&db, "DELETE FROM audit_heads WHERE org_id = 'acme'").await;
    assert_eq!(intact(&db, "acme").await.sequence, 0, "by itself it looks as if nothing had ever been");
    assert_eq!(broken(verify(&db, "acme", Some(kept)).await.0), (Defect::Removed, 1, false));
});
