-- What an organization decided about how its work is shared out (R3). No row: the defaults.
CREATE TABLE settings (
    org_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    default_capacity_units BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (org_id)
);

-- What a conversation of a channel costs; of any other: 1.
CREATE TABLE channel_units (
    org_id TEXT NOT NULL,
    channel TEXT COLLATE "C" NOT NULL,
    units BIGINT NOT NULL,
    PRIMARY KEY (org_id, channel)
);

-- 0: the organization's default.
ALTER TABLE agents ADD COLUMN capacity_units BIGINT NOT NULL DEFAULT 0;

-- How many conversations a member is given in so many seconds after they came online; 0: as many as others.
ALTER TABLE teams ADD COLUMN ramp_up_limit BIGINT NOT NULL DEFAULT 0;
ALTER TABLE teams ADD COLUMN ramp_up_seconds BIGINT NOT NULL DEFAULT 0;

-- What it costs who has it, from its beginning to its end; and how its team shares it, where that is not by turns.
ALTER TABLE conversations ADD COLUMN units BIGINT NOT NULL DEFAULT 1;
ALTER TABLE conversations ADD COLUMN sharing JSONB;

-- What open conversations cost beyond one unit each: with a program that does not know of units yet, the sum stays right for all that
-- cost one.
ALTER TABLE loads ADD COLUMN extra_units BIGINT NOT NULL DEFAULT 0;
-- When the agent last got a conversation.
ALTER TABLE loads ADD COLUMN last_assign_time BIGINT;
-- How many queues gave since the agent came online, and when that was.
ALTER TABLE loads ADD COLUMN given_count BIGINT NOT NULL DEFAULT 0;
ALTER TABLE loads ADD COLUMN given_since BIGINT;

-- What whoever takes it has to have, in a word that is the same for all who ask for the same: '' for one unit and no skill. Who asks for
-- what nobody has does not stand in the way of others.
ALTER TABLE queue ADD COLUMN demand TEXT COLLATE "C" NOT NULL DEFAULT '';
-- When less is asked for.
ALTER TABLE queue ADD COLUMN relax_time BIGINT;
CREATE INDEX queue_demands ON queue (org_id, team_id, demand, (-priority), queue_time, conversation_id);
CREATE INDEX queue_relaxing ON queue (org_id, team_id, relax_time) WHERE relax_time IS NOT NULL;
