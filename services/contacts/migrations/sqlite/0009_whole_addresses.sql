-- Addresses have entries as a whole (the program makes them): every contact gets its entries anew, by the worker.
INSERT INTO search_backlog (org_id, contact_id) SELECT org_id, contact_id FROM contacts WHERE true
    ON CONFLICT (org_id, contact_id) DO NOTHING;
