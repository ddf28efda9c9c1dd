-- Jobs were brought to workers by pg-boss once. Its schema goes, unless another program keeps queues of its own in it.
DO $$
DECLARE
  others bigint;
BEGIN
  IF to_regclass('pgboss.queue') IS NULL THEN
    RETURN;
  END IF;
  EXECUTE $q$SELECT count(*) FROM pgboss.queue WHERE name NOT IN ('inference', 'training') AND name NOT LIKE '\_\_pgboss\_\_%'$q$ INTO others;
  IF others = 0 THEN
    DROP SCHEMA pgboss CASCADE;
  END IF;
END
$$;
