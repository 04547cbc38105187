-- insert_instance_once: a setting of the installation, kept if another node was first
INSERT INTO instance (key, value, created_at, updated_at) VALUES ($1, $2, $3, $3) ON CONFLICT (key) DO NOTHING

-- instance_value: a setting of the installation
SELECT value FROM instance WHERE key = $1

-- instance_row: the same, and since when
SELECT value, updated_at FROM instance WHERE key = $1

-- set_instance: change a setting of the installation
INSERT INTO instance (key, value, created_at, updated_at) VALUES ($1, $2, $3, $3)
ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at
