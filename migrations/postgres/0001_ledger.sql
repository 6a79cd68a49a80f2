-- The ledger on PostgreSQL. The same tables with the same columns stand in migrations/sqlite under the same number.
--
-- Whoever runs this owns the tables. The role that serves gets its rights from piperoll_grant() below: where a table is
-- insert-only it may only insert and read. Triggers say the same to everybody else, and are a guard against accidents: an
-- owner can switch them off. `piperoll verify` finds malice.
-- recorded_at is in milliseconds of Unix time; every other instant is text, RFC 3339 with nine fraction digits. All text sorts
-- by its bytes, as on SQLite.

-- Says that this database is a Piperoll ledger.
create table piperoll (
  one bigint not null primary key check (one = 1),
  purpose text collate "C" not null
);
insert into piperoll (one, purpose) values (1, 'piperoll ledger');

-- ---- insert-only ------------------------------------------------------------------------------------------------

create table entry (
  idx bigint not null primary key check (idx >= 0),
  recorded_at bigint not null,
  payload_hash bytea not null check (length(payload_hash) = 32),
  leaf bytea not null,
  leaf_hash bytea not null check (length(leaf_hash) = 32),
  event_id text collate "C" not null,
  source text collate "C" not null,
  kind text collate "C" not null,
  type_name text collate "C" not null,
  time text collate "C" not null,
  subject text collate "C" not null,
  change text collate "C",
  service text collate "C",
  environment text collate "C",
  keyid text collate "C" not null,
  stream_time text collate "C" not null
);
create unique index entry_event on entry (source, event_id);
create unique index entry_payload_hash on entry (payload_hash);
create index entry_kind on entry (kind, idx);
create index entry_source on entry (source, idx);
create index entry_service on entry (service, idx) where service is not null;
create index entry_time on entry (time);

create table tile (
  level bigint not null check (level between 0 and 7),
  idx bigint not null check (idx >= 0),
  hashes bytea not null check (length(hashes) = 8192),
  root bytea not null check (length(root) = 32),
  primary key (level, idx)
);
-- Hashes do not compress.
alter table tile alter column hashes set storage external;

create table checkpoint (
  size bigint not null primary key check (size > 0),
  note text collate "C" not null
);

-- One row a batch of stream messages; a control entry has a row of its own without a range.
create table consumed (
  number bigint not null primary key check (number >= 0),
  incarnation text collate "C" not null,
  from_sequence bigint,
  to_sequence bigint,
  recorded bigint not null check (recorded >= 0),
  duplicate bigint not null check (duplicate >= 0),
  refused bigint not null check (refused >= 0),
  junk bigint not null check (junk >= 0),
  check ((from_sequence is null) = (to_sequence is null)),
  check (from_sequence is null or recorded + duplicate + refused + junk = to_sequence - from_sequence + 1)
);

create table refused (
  number bigint not null primary key check (number >= 0),
  at text collate "C" not null,
  source text collate "C" not null,
  event_id text collate "C" not null,
  payload_hash bytea not null check (length(payload_hash) = 32),
  reason text collate "C" not null,
  detail text collate "C" not null,
  first_idx bigint
);
create unique index refused_payload_hash on refused (payload_hash, reason);

-- ---- erasable, otherwise insert-only ----------------------------------------------------------------------------
-- Erasing sets the words to null and keeps the row, so that "erased" and "never supplied" stay apart.

create table payload (
  idx bigint not null primary key,
  body bytea
);

create table text (
  idx bigint not null,
  name text collate "C" not null,
  salt bytea check (length(salt) = 16),
  body text collate "C",
  primary key (idx, name),
  check ((salt is null) = (body is null))
);

-- The whole envelope of a refused event, as JSON.
create table refused_body (
  number bigint not null primary key,
  envelope text collate "C"
);

-- Which account a user of another host was given. Erasing deletes the row.
create table login_id (
  host text collate "C" not null,
  user_id text collate "C" not null,
  account text collate "C" not null unique,
  primary key (host, user_id)
);

-- ---- mutable ----------------------------------------------------------------------------------------------------

-- Where the ledger stands and how far the stream was read: one row, moved by compare-and-swap on (size, epoch, incarnation, sequence).
create table head (
  one bigint not null primary key check (one = 1),
  size bigint not null check (size > 0),
  root bytea not null check (length(root) = 32),
  epoch bigint not null check (epoch >= 0),
  recorded_at bigint not null,
  incarnation text collate "C" not null,
  sequence bigint not null check (sequence >= 0),
  message_hash bytea check (length(message_hash) = 32),
  message_time text collate "C",
  check ((message_hash is null) = (message_time is null))
);

-- Who projects, until when (milliseconds by the database's clock).
create table lease (
  one bigint not null primary key check (one = 1),
  epoch bigint not null check (epoch >= 0),
  holder text collate "C" not null,
  address text collate "C" not null,
  until_ms bigint not null
);

-- How often each refused event came.
create table refused_count (
  number bigint not null primary key,
  times bigint not null check (times > 0)
);

-- hour: milliseconds at which the hour begins.
create table junk (
  hour bigint not null,
  subject text collate "C" not null,
  reason text collate "C" not null,
  count bigint not null check (count > 0),
  primary key (hour, subject, reason)
);

-- The bridges' own outbox. The envelope goes when the ledger has answered finally; the dedupe key stays.
create table bridge_seen (
  bridge text collate "C" not null,
  dedupe_key text collate "C" not null,
  ordinal bigint not null check (ordinal >= 0),
  at text collate "C" not null,
  envelope text collate "C",
  primary key (bridge, dedupe_key, ordinal)
);
create index bridge_seen_unsent on bridge_seen (at, bridge, dedupe_key, ordinal) where envelope is not null;

create table bridge_count (
  bridge text collate "C" not null,
  event text collate "C" not null,
  count bigint not null check (count > 0),
  primary key (bridge, event)
);

-- ---- read models: disposable, every key starts with the number of the fold that made them -------------------------

create table aggregate (
  fold bigint not null,
  kind text collate "C" not null,
  key text collate "C" not null,
  body text collate "C" not null,
  primary key (fold, kind, key)
);

create table alias (
  fold bigint not null,
  alias text collate "C" not null,
  change text collate "C" not null,
  primary key (fold, alias, change)
);

create table change (
  fold bigint not null,
  change text collate "C" not null,
  service text collate "C",
  last_index bigint not null,
  primary key (fold, change)
);
create index change_latest on change (fold, last_index);

-- What was in (service, environment), valid in [from_index, to_index).
create table slot (
  fold bigint not null,
  service text collate "C" not null,
  environment text collate "C" not null,
  from_index bigint not null,
  to_index bigint,
  body text collate "C" not null,
  primary key (fold, service, environment, from_index),
  check (to_index > from_index)
);
create unique index slot_open on slot (fold, service, environment) where to_index is null;
create index slot_closed on slot (fold, to_index) where to_index is not null;

-- ---- triggers ---------------------------------------------------------------------------------------------------

create function piperoll_refuse() returns trigger language plpgsql as $$
begin
  raise exception '% %', tg_table_name, tg_argv[0] using errcode = 'restrict_violation';
end $$;

-- Counting rows go on where the last one ended: each statement brings one run of numbers, and the row before it is there.
-- The schema is named, so that it matters to nobody's search_path which table is asked.
create function piperoll_next() returns trigger language plpgsql as $$
declare gap boolean;
begin
  execute format(
    'select exists (
       select 1 from (select min(%1$I) as low, max(%1$I) as high, count(*) as rows from fresh) as run
       where rows > 0 and (high - low + 1 <> rows or low > 0 and not exists (select 1 from %2$I.%3$I where %1$I = low - 1)))',
    tg_argv[0], tg_table_schema, tg_table_name
  ) into gap;
  if gap then raise exception '%: the % is not the next one', tg_table_name, tg_argv[1] using errcode = 'restrict_violation'; end if;
  return null;
end $$;
create function piperoll_tile_next() returns trigger language plpgsql as $$
declare gap boolean;
begin
  execute format(
    'select exists (
       select 1 from (select level, min(idx) as low, max(idx) as high, count(*) as rows from fresh group by level) as run
       where high - low + 1 <> rows
       or low > 0 and not exists (select 1 from %1$I.%2$I as before where before.level = run.level and before.idx = low - 1))',
    tg_table_schema, tg_table_name
  ) into gap;
  if gap then raise exception 'tile: the index is not the next one of its level' using errcode = 'restrict_violation'; end if;
  return null;
end $$;

create trigger entry_next after insert on entry
  referencing new table as fresh for each statement execute function piperoll_next('idx', 'index');
create trigger tile_next after insert on tile
  referencing new table as fresh for each statement execute function piperoll_tile_next();
create trigger consumed_next after insert on consumed
  referencing new table as fresh for each statement execute function piperoll_next('number', 'number');
create trigger refused_next after insert on refused
  referencing new table as fresh for each statement execute function piperoll_next('number', 'number');

create trigger entry_no_change before update or delete or truncate on entry
  for each statement execute function piperoll_refuse('is insert-only');
create trigger tile_no_change before update or delete or truncate on tile
  for each statement execute function piperoll_refuse('is insert-only');
create trigger checkpoint_no_change before update or delete or truncate on checkpoint
  for each statement execute function piperoll_refuse('is insert-only');
create trigger consumed_no_change before update or delete or truncate on consumed
  for each statement execute function piperoll_refuse('is insert-only');
create trigger refused_no_change before update or delete or truncate on refused
  for each statement execute function piperoll_refuse('is insert-only');

create trigger payload_no_delete before delete or truncate on payload
  for each statement execute function piperoll_refuse('can only be erased');
create trigger payload_only_erased before update on payload
  for each row when (new.idx <> old.idx or new.body is not null)
  execute function piperoll_refuse('can only be erased');
create trigger text_no_delete before delete or truncate on text
  for each statement execute function piperoll_refuse('can only be erased');
create trigger text_only_erased before update on text
  for each row when (new.idx <> old.idx or new.name <> old.name or new.body is not null or new.salt is not null)
  execute function piperoll_refuse('can only be erased');
create trigger refused_body_no_delete before delete or truncate on refused_body
  for each statement execute function piperoll_refuse('can only be erased');
create trigger refused_body_only_erased before update on refused_body
  for each row when (new.number <> old.number or new.envelope is not null)
  execute function piperoll_refuse('can only be erased');
create trigger login_id_no_update before update or truncate on login_id
  for each statement execute function piperoll_refuse('can only be inserted and deleted');

create trigger head_no_delete before delete or truncate on head
  for each statement execute function piperoll_refuse('only goes forward');
create trigger head_only_forward before update on head
  for each row when (new.size < old.size or new.epoch < old.epoch)
  execute function piperoll_refuse('only goes forward');

-- Ordinary triggers sleep in a session that replicates; these do not.
alter table entry enable always trigger entry_next;
alter table tile enable always trigger tile_next;
alter table consumed enable always trigger consumed_next;
alter table refused enable always trigger refused_next;
alter table entry enable always trigger entry_no_change;
alter table tile enable always trigger tile_no_change;
alter table checkpoint enable always trigger checkpoint_no_change;
alter table consumed enable always trigger consumed_no_change;
alter table refused enable always trigger refused_no_change;
alter table payload enable always trigger payload_no_delete;
alter table payload enable always trigger payload_only_erased;
alter table text enable always trigger text_no_delete;
alter table text enable always trigger text_only_erased;
alter table refused_body enable always trigger refused_body_no_delete;
alter table refused_body enable always trigger refused_body_only_erased;
alter table login_id enable always trigger login_id_no_update;
alter table head enable always trigger head_no_delete;
alter table head enable always trigger head_only_forward;

-- ---- rights -----------------------------------------------------------------------------------------------------

-- What the role that serves may do, and no more. For the owner to call; a second time it changes nothing.
create function piperoll_grant(service_role text) returns void language plpgsql as $$
begin
  execute format('grant usage on schema %I to %I', current_schema(), service_role);
  execute format('grant select on piperoll, _sqlx_migrations to %I', service_role);
  execute format('grant select, insert on entry, tile, checkpoint, consumed, refused to %I', service_role);
  execute format('grant select, insert on payload, text, refused_body to %I', service_role);
  execute format('grant update (body) on payload to %I', service_role);
  execute format('grant update (salt, body) on text to %I', service_role);
  execute format('grant update (envelope) on refused_body to %I', service_role);
  execute format('grant select, insert, delete on login_id to %I', service_role);
  execute format('grant select, insert, update on head, lease, refused_count, junk, bridge_seen, bridge_count to %I', service_role);
  execute format('grant select, insert, update, delete on aggregate, alias, change, slot to %I', service_role);
end $$;
