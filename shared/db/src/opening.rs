//! Why a database does not open, in words that say what to do. Only whoever starts the process reads them.

use crate::DbError;
use sqlx::postgres::PgConnectOptions;
use std::path::Path;

/// Reads an error of opening a SQLite file.
pub(crate) fn sqlite(path: &Path) -> impl Fn(sqlx::Error) -> DbError + '_ {
    move |error| {
        let code: i32 = code(&error).and_then(|code| code.parse().ok()).unwrap_or_default();
        match what_sqlite_says(code) {
            Some(what) => DbError::Unusable(format!("{} {what}", path.display())),
            None => error.into(),
        }
    }
}

/// <https://www.sqlite.org/rescode.html>; the lowest byte is the kind.
fn what_sqlite_says(code: i32) -> Option<&'static str> {
    match code & 0xff {
        26 => Some("is not a SQLite database; move it away, or choose another folder with --data"),
        11 => Some("is damaged; put a backup in its place"),
        3 | 8 | 14 | 23 => Some(
            "cannot be opened for reading and writing; check owner and permissions of the file, of those beside it that \
             begin with its name, and of their folder",
        ),
        _ => None,
    }
}

/// The address of a database is none. It is not repeated: there may be a password in it.
pub(crate) fn unreadable() -> DbError {
    DbError::Unusable(
        "the database's address cannot be read; it is postgres://user:password@host:port/database".to_owned(),
    )
}

/// Reads an error of logging in to PostgreSQL. The server is named, the password never.
pub(crate) fn postgres(login: &PgConnectOptions) -> impl Fn(sqlx::Error) -> DbError + '_ {
    move |error| {
        let server = format!("{}:{}", login.get_host(), login.get_port());
        let user = login.get_username();
        let name = login.get_database().unwrap_or(user);
        match (&error, code(&error).as_deref()) {
            (_, Some("28000" | "28P01")) => DbError::Unusable(format!(
                "PostgreSQL at {server} refuses the login of {user}; check user and password in the database's address"
            )),
            (_, Some("3D000")) => DbError::Unusable(format!(
                "PostgreSQL at {server} has no database {name}; make it (createdb {name}), or correct the address"
            )),
            (_, Some("42501")) => DbError::Unusable(format!(
                "PostgreSQL at {server} does not let {user} into {name}; grant it (GRANT CONNECT ON DATABASE), or correct the address"
            )),
            (sqlx::Error::Io(why), _) => DbError::Unavailable(format!(
                "no PostgreSQL answers at {server} ({}); is it running, and is the address right?",
                why.kind()
            )),
            _ => match DbError::from(error) {
                kept @ (DbError::Unavailable(_) | DbError::Full | DbError::Busy) => kept,
                other => DbError::Migration(format!("connecting: {other}")),
            },
        }
    }
}

fn code(error: &sqlx::Error) -> Option<String> {
    error.as_database_error().and_then(|error| error.code()).map(|code| code.into_owned())
}

#[cfg(test)]
mod tests {
    use super::what_sqlite_says;

    #[test]
    fn what_a_person_can_mend_is_said_in_words() {
        for (code, word) in
            [(26, "not a SQLite database"), (1544, "permissions"), (8, "permissions"), (14, "permissions")]
        {
            assert!(what_sqlite_says(code).is_some_and(|what| what.contains(word)), "{code}");
        }
        assert_eq!(what_sqlite_says(5), None, "a busy file is waited for");
    }
}
