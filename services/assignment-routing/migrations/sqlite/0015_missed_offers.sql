-- Offers in a row that somebody did not answer in time, since they are as available as they are (R12).
ALTER TABLE presence ADD COLUMN missed_offers INTEGER NOT NULL DEFAULT 0;
