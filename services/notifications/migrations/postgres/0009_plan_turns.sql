-- Since when a feed waits to be planned; of one that does not wait it says nothing. Feeds of an organization are planned in this order.
ALTER TABLE feed_heads ADD COLUMN behind_since BIGINT NOT NULL DEFAULT 0;

DROP INDEX feed_heads_unplanned;
CREATE INDEX feed_heads_behind ON feed_heads (org_id, behind_since, subject) WHERE planned_through < sequence;
