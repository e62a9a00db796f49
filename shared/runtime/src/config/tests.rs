//! What is read, what wins, and what is refused with which words.

use figment::Jail;
use serde::Deserialize;

use super::*;

/// Loads inside the jail, whose errors are figment's.
fn load(file: Option<&str>, flags: &Overrides) -> Result<Config, ConfigError> {
    Config::load(file.map(std::path::Path::new), flags)
}

fn jailed(test: impl FnOnce(&mut Jail) -> Result<(), String>) {
    #[expect(clippy::result_large_err, reason = "the jail's own error")]
    let in_jail = |jail: &mut Jail| {
        jail.clear_env();
        test(jail).map_err(figment::Error::from)
    };
    Jail::try_with(in_jail).unwrap();
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    jailed(|jail| {
        let file =
            "listen = '127.0.0.1:1'\nmetrics = '127.0.0.1:1'\naudience = 'file'\n[limits]\nstreams = 7";
        jail.create_file("b.toml", file).map_err(|error| error.to_string())?;
        jail.set_env("BACKCHANNEL_METRICS", "127.0.0.1:2");
        jail.set_env("BACKCHANNEL_LISTEN", "127.0.0.1:2");
        jail.set_env("BACKCHANNEL_PEERS__ROUTING", "http://routing:50051");
        jail.set_env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317");
        let flags = Overrides { listen: Some(([127, 0, 0, 1], 3).into()), ..Overrides::default() };
        let config = load(Some("b.toml"), &flags).map_err(|error| error.to_string())?;
        assert_eq!((config.listen.port(), config.metrics.port()), (3, 2));
        assert_eq!((config.audience.as_str(), config.limits.streams), ("file", 7));
        assert_eq!(config.limits.unary_in_flight, rpc::Limits::default().unary_in_flight);
        assert_eq!(config.peers.routing.as_deref(), Some("http://routing:50051"));
        assert_eq!(config.telemetry.otlp.as_deref(), Some("http://collector:4317"));
        Ok(())
    });
}

#[test]
fn an_unknown_key_is_refused_and_named_wherever_it_stands() {
    jailed(|jail| {
        for (file, key) in
            [("lisen = 'x'", "lisen"), ("[limits]\nstreem = 1", "streem"), ("[peer]\na = 'b'", "peer")]
        {
            jail.create_file("b.toml", file).map_err(|error| error.to_string())?;
            let refused = load(Some("b.toml"), &Overrides::default()).unwrap_err().to_string();
            assert!(refused.contains(key) && refused.contains("unknown"), "{refused}");
        }
        jail.set_env("BACKCHANNEL_LISTN", "127.0.0.1:2");
        let refused = load(None, &Overrides::default()).unwrap_err().to_string();
        assert!(refused.contains("listn"), "{refused}");
        Ok(())
    });
}

#[test]
fn a_file_that_cannot_be_read_is_named_with_its_flag_and_what_to_do() {
    jailed(|jail| {
        jail.create_dir("folder.toml").map_err(|error| error.to_string())?;
        jail.create_file("latin.toml", "").map_err(|error| error.to_string())?;
        std::fs::write("latin.toml", b"audience = 's\xe3o'").map_err(|error| error.to_string())?;
        for (file, said) in
            [("nowhere.toml", "is not there"), ("folder.toml", "is a folder"), ("latin.toml", "is not UTF-8")]
        {
            let refused = load(Some(file), &Overrides::default()).unwrap_err().to_string();
            let parts = [file, "--config", "BACKCHANNEL_CONFIG", said, "name "];
            assert!(parts.iter().all(|part| refused.contains(part)), "{refused}");
        }
        Ok(())
    });
}

#[test]
fn what_configures_tests_and_the_command_line_is_not_configuration() {
    jailed(|jail| {
        for name in ["TEST_POSTGRES", "CONFIG", "TOKEN", "ADDR", "AUTHORITY"] {
            jail.set_env(format!("BACKCHANNEL_{name}"), "whatever");
        }
        load(None, &Overrides::default()).map(drop).map_err(|error| error.to_string())
    });
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Mail {
    smtp: String,
    password: String,
}

#[test]
fn a_service_reads_its_own_section_and_refuses_what_it_does_not_know() {
    jailed(|jail| {
        jail.set_env("BACKCHANNEL_NOTIFICATIONS__SMTP", "mail:25");
        let config = load(None, &Overrides::default()).map_err(|error| error.to_string())?;
        let mail: Mail = config.section("notifications").map_err(|error| error.to_string())?;
        assert_eq!(mail.smtp, "mail:25");
        jail.set_env("BACKCHANNEL_NOTIFICATIONS__SMPT", "mail:25");
        let config = load(None, &Overrides::default()).map_err(|error| error.to_string())?;
        let refused = config.section::<Mail>("notifications").unwrap_err().to_string();
        assert!(refused.contains("notifications") && refused.contains("smpt"), "{refused}");
        Ok(())
    });
}

#[test]
fn secrets_are_in_neither_debug_output_nor_errors() {
    jailed(|jail| {
        jail.set_env("BACKCHANNEL_DATABASE", "postgres://app:s3cret@db/app");
        jail.set_env("BACKCHANNEL_NOTIFICATIONS__PASSWORD", "s3cret");
        let config = load(None, &Overrides::default()).map_err(|error| error.to_string())?;
        assert!(!format!("{config:?}").contains("s3cret"), "{config:?}");
        jail.set_env("BACKCHANNEL_LISTEN", "s3cret");
        let refused = load(None, &Overrides::default()).unwrap_err().to_string();
        assert!(refused.contains("listen") && !refused.contains("s3cret"), "{refused}");
        Ok(())
    });
}

#[test]
fn an_address_of_another_kind_of_server_is_refused_without_being_shown() {
    jailed(|jail| {
        for (name, key, address) in [
            ("DATABASE", "database", "mysql://app:s3cret@db/app"),
            ("NATS", "nats", "s3cret"),
            ("NATS", "nats", "http://s3cret:4222"),
        ] {
            jail.clear_env();
            jail.set_env(format!("BACKCHANNEL_{name}"), address);
            let refused = load(None, &Overrides::default()).unwrap_err().to_string();
            assert!(refused.contains(key) && refused.contains("must begin with"), "{refused}");
            assert!(refused.contains(&format!("(in BACKCHANNEL_{name})")), "{refused}");
            assert!(!refused.contains("s3cret"), "{refused}");
        }
        jail.clear_env();
        let flags = Overrides { nats: Some("foo".to_owned()), ..Overrides::default() };
        let refused = load(None, &flags).unwrap_err().to_string();
        assert!(refused.contains("(in --nats)"), "{refused}");
        for fits in ["nats://localhost:4222", "tls://nats:4222"] {
            let flags = Overrides { nats: Some(fits.to_owned()), ..Overrides::default() };
            load(None, &flags).map_err(|error| error.to_string())?;
        }
        Ok(())
    });
}

#[test]
fn what_is_wrong_is_said_with_its_place_and_without_names_of_types() {
    jailed(|jail| {
        let in_file = [
            ("listen = 5", "listen: must be an IP address with a port"),
            ("listen = '127.0.0.1'", "listen: must be an IP address with a port, such as 127.0.0.1:50051"),
            ("limits = 3", "limits: must be a section"),
            ("[limits]\nstreams = 'many'", "limits.streams: must be a whole number"),
            ("[telemetry]\nsample = 'all'", "telemetry.sample: must be a number"),
            ("[telemetry]\nformat = 'xml'", "telemetry.format: must be one of auto, json, pretty"),
            ("notes = 3", "notes: must be a section"),
            ("[limits]\nstreem = 1", "unknown key \"limits.streem\""),
            ("public_reflection = 'maybe'", "public_reflection: must be true or false"),
            ("password s3cret", "TOML parse error at line 1"),
        ];
        for (file, said) in in_file {
            jail.create_file("b.toml", file).map_err(|error| error.to_string())?;
            let refused = load(Some("b.toml"), &Overrides::default()).unwrap_err().to_string();
            assert!(refused.contains(said) && refused.contains("b.toml"), "{file}: {refused}");
            for not in ["::", "struct", "usize", "u32", "u64", "f64", "Overrides", "s3cret"] {
                assert!(!refused.contains(not), "{file}: {refused}");
            }
        }
        jail.set_env("BACKCHANNEL_LIMITS__STREAMS", "many");
        let refused = load(None, &Overrides::default()).unwrap_err().to_string();
        assert!(refused.contains("(in BACKCHANNEL_LIMITS__STREAMS)"), "{refused}");
        let refused = load(Some("nowhere.toml"), &Overrides::default()).unwrap_err().to_string();
        assert!(refused.contains("nowhere.toml"), "{refused}");
        Ok(())
    });
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Nothing {}

#[test]
fn a_sections_key_is_named_with_the_file_or_variable_it_stands_in() {
    jailed(|jail| {
        jail.create_file("b.toml", "[contacts]\ncolour = 'red'").map_err(|error| error.to_string())?;
        jail.set_env("BACKCHANNEL_NOTIFICATIONS__SMTP", "[]");
        let config = load(Some("b.toml"), &Overrides::default()).map_err(|error| error.to_string())?;
        let refused = config.section::<Nothing>("contacts").unwrap_err().to_string();
        for part in ["contacts.colour", "b.toml", "nothing can be set here"] {
            assert!(refused.contains(part), "{refused}");
        }
        let refused = config.section::<Mail>("notifications").unwrap_err().to_string();
        assert!(refused.contains("notifications.smtp: must be a text"), "{refused}");
        assert!(refused.contains("(in BACKCHANNEL_NOTIFICATIONS__SMTP)"), "{refused}");
        Ok(())
    });
}
