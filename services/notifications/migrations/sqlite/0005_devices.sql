-- Where pushes go: browsers' subscriptions and apps' tokens.
CREATE TABLE devices (
    org_id TEXT NOT NULL,
    device_id BLOB NOT NULL,
    subject TEXT NOT NULL,
    kind TEXT NOT NULL CONSTRAINT devices_kind CHECK (kind IN ('web_push', 'fcm')),
    -- The endpoint of the subscription, or the token. Whoever knows it can send to the device.
    address TEXT NOT NULL,
    -- What is sent to a browser is encrypted with its public key and the secret shared with it.
    p256dh BLOB,
    auth BLOB,
    display_name TEXT NOT NULL,
    create_time INTEGER NOT NULL,
    register_time INTEGER NOT NULL,
    PRIMARY KEY (org_id, device_id),
    CONSTRAINT devices_keys CHECK ((kind = 'web_push') = (p256dh IS NOT NULL AND auth IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX devices_address ON devices (org_id, kind, address);
CREATE INDEX devices_subject ON devices (org_id, subject, register_time);
CREATE INDEX devices_register_time ON devices (register_time);
