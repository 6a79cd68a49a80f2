-- The ledger on SQLite. The same tables with the same columns stand in migrations/postgres under the same number.
--
-- Triggers guard against accidents: SQLite lets whoever may write the file do anything. `piperoll verify` finds malice.
-- recorded_at is in milliseconds of Unix time; every other instant is text, RFC 3339 with nine fraction digits, so that
-- it sorts and nothing of it is lost.

-- Says that this database is a Piperoll ledger.
create table piperoll (
  one integer not null primary key check (one = 1),
  purpose text not null
) strict;
insert into piperoll (one, purpose) values (1, 'piperoll ledger');
pragma application_id = 1346981970; -- 'PIPR'

-- ---- insert-only ------------------------------------------------------------------------------------------------

create table entry (
  idx integer not null primary key check (idx >= 0),
  recorded_at integer not null,
  payload_hash blob not null check (length(payload_hash) = 32),
  leaf blob not null,
  leaf_hash blob not null check (length(leaf_hash) = 32),
  event_id text not null,
  source text not null,
  kind text not null,
  type_name text not null,
  time text not null,
  subject text not null,
  change text,
  service text,
  environment text,
  keyid text not null,
  stream_time text not null
) strict;
create unique index entry_event on entry (source, event_id);
create unique index entry_payload_hash on entry (payload_hash);
create index entry_kind on entry (kind, idx);
create index entry_source on entry (source, idx);
create index entry_service on entry (service, idx) where service is not null;
create index entry_time on entry (time);

create table tile (
  level integer not null check (level between 0 and 7),
  idx integer not null check (idx >= 0),
  hashes blob not null check (length(hashes) = 8192),
  root blob not null check (length(root) = 32),
  primary key (level, idx)
) strict, without rowid;

create table checkpoint (
  size integer not null primary key check (size > 0),
  note text not null
) strict;

-- One row a batch of stream messages; a control entry has a row of its own without a range.
create table consumed (
  number integer not null primary key check (number >= 0),
  incarnation text not null,
  from_sequence integer,
  to_sequence integer,
  recorded integer not null check (recorded >= 0),
  duplicate integer not null check (duplicate >= 0),
  refused integer not null check (refused >= 0),
  junk integer not null check (junk >= 0),
  check ((from_sequence is null) = (to_sequence is null)),
  check (from_sequence is null or recorded + duplicate + refused + junk = to_sequence - from_sequence + 1)
) strict;

create table refused (
  number integer not null primary key check (number >= 0),
  at text not null,
  source text not null,
  event_id text not null,
  payload_hash blob not null check (length(payload_hash) = 32),
  reason text not null,
  detail text not null,
  first_idx integer
) strict;
create unique index refused_payload_hash on refused (payload_hash, reason);

create trigger entry_next before insert on entry
when new.idx <> (select coalesce(max(idx), -1) + 1 from entry)
begin select raise(abort, 'entry: the index is not the next one'); end;
create trigger entry_no_update before update on entry
begin select raise(abort, 'entry is insert-only'); end;
create trigger entry_no_delete before delete on entry
begin select raise(abort, 'entry is insert-only'); end;

create trigger tile_next before insert on tile
when new.idx <> (select coalesce(max(idx), -1) + 1 from tile where level = new.level)
begin select raise(abort, 'tile: the index is not the next one of its level'); end;
create trigger tile_no_update before update on tile
begin select raise(abort, 'tile is insert-only'); end;
create trigger tile_no_delete before delete on tile
begin select raise(abort, 'tile is insert-only'); end;

create trigger checkpoint_no_delete before delete on checkpoint
begin select raise(abort, 'checkpoint is insert-only'); end;
create trigger checkpoint_no_update before update on checkpoint
begin select raise(abort, 'checkpoint is insert-only'); end;

create trigger consumed_next before insert on consumed
when new.number <> (select coalesce(max(number), -1) + 1 from consumed)
begin select raise(abort, 'consumed: the number is not the next one'); end;
create trigger consumed_no_update before update on consumed
begin select raise(abort, 'consumed is insert-only'); end;
create trigger consumed_no_delete before delete on consumed
begin select raise(abort, 'consumed is insert-only'); end;

create trigger refused_next before insert on refused
when new.number <> (select coalesce(max(number), -1) + 1 from refused)
begin select raise(abort, 'refused: the number is not the next one'); end;
create trigger refused_no_update before update on refused
begin select raise(abort, 'refused is insert-only'); end;
create trigger refused_no_delete before delete on refused
begin select raise(abort, 'refused is insert-only'); end;

-- ---- erasable, otherwise insert-only ----------------------------------------------------------------------------
-- Erasing sets the words to null and keeps the row, so that "erased" and "never supplied" stay apart.

create table payload (
  idx integer not null primary key,
  body blob
) strict;

create table text (
  idx integer not null,
  name text not null,
  salt blob check (length(salt) = 16),
  body text,
  primary key (idx, name),
  check ((salt is null) = (body is null))
) strict;

-- The whole envelope of a refused event, as JSON.
create table refused_body (
  number integer not null primary key,
  envelope text
) strict;

-- Which account a user of another host was given. Erasing deletes the row.
create table login_id (
  host text not null,
  user_id text not null,
  account text not null unique,
  primary key (host, user_id)
) strict;

create trigger payload_only_erased before update on payload
when new.idx <> old.idx or new.body is not null
begin select raise(abort, 'payload can only be erased'); end;
create trigger payload_no_delete before delete on payload
begin select raise(abort, 'payload can only be erased'); end;
create trigger payload_no_replace before insert on payload
when exists (select 1 from payload where idx = new.idx)
begin select raise(abort, 'payload is insert-only'); end;

create trigger text_only_erased before update on text
when new.idx <> old.idx or new.name <> old.name or new.body is not null or new.salt is not null
begin select raise(abort, 'text can only be erased'); end;
create trigger text_no_delete before delete on text
begin select raise(abort, 'text can only be erased'); end;
create trigger text_no_replace before insert on text
when exists (select 1 from text where idx = new.idx and name = new.name)
begin select raise(abort, 'text is insert-only'); end;

create trigger refused_body_only_erased before update on refused_body
when new.number <> old.number or new.envelope is not null
begin select raise(abort, 'refused_body can only be erased'); end;
create trigger refused_body_no_delete before delete on refused_body
begin select raise(abort, 'refused_body can only be erased'); end;
create trigger refused_body_no_replace before insert on refused_body
when exists (select 1 from refused_body where number = new.number)
begin select raise(abort, 'refused_body is insert-only'); end;

create trigger login_id_no_update before update on login_id
begin select raise(abort, 'login_id can only be inserted and deleted'); end;

-- ---- mutable ----------------------------------------------------------------------------------------------------

-- Where the ledger stands and how far the stream was read: one row, moved by compare-and-swap on (size, epoch).
create table head (
  one integer not null primary key check (one = 1),
  size integer not null check (size > 0),
  root blob not null check (length(root) = 32),
  epoch integer not null check (epoch >= 0),
  recorded_at integer not null,
  incarnation text not null,
  sequence integer not null check (sequence >= 0),
  message_hash blob check (length(message_hash) = 32),
  message_time text,
  check ((message_hash is null) = (message_time is null))
) strict;
create trigger head_only_forward before update on head
when new.size < old.size or new.epoch < old.epoch
begin select raise(abort, 'the head only goes forward'); end;
create trigger head_no_delete before delete on head
begin select raise(abort, 'the head only goes forward'); end;

-- Who projects, until when (milliseconds by the database's clock).
create table lease (
  one integer not null primary key check (one = 1),
  epoch integer not null check (epoch >= 0),
  holder text not null,
  address text not null,
  until_ms integer not null
) strict;

-- How often each refused event came.
create table refused_count (
  number integer not null primary key,
  times integer not null check (times > 0)
) strict;

-- hour: milliseconds at which the hour begins.
create table junk (
  hour integer not null,
  subject text not null,
  reason text not null,
  count integer not null check (count > 0),
  primary key (hour, subject, reason)
) strict;

-- The bridges' own outbox. The envelope goes when the ledger has answered finally; the dedupe key stays.
create table bridge_seen (
  bridge text not null,
  dedupe_key text not null,
  ordinal integer not null check (ordinal >= 0),
  at text not null,
  envelope text,
  primary key (bridge, dedupe_key, ordinal)
) strict;
create index bridge_seen_unsent on bridge_seen (at, bridge, dedupe_key, ordinal) where envelope is not null;

create table bridge_count (
  bridge text not null,
  event text not null,
  count integer not null check (count > 0),
  primary key (bridge, event)
) strict;

-- ---- read models: disposable, every key starts with the number of the fold that made them -------------------------

create table aggregate (
  fold integer not null,
  kind text not null,
  key text not null,
  body text not null,
  primary key (fold, kind, key)
) strict;

create table alias (
  fold integer not null,
  alias text not null,
  change text not null,
  primary key (fold, alias, change)
) strict, without rowid;

create table change (
  fold integer not null,
  change text not null,
  service text,
  last_index integer not null,
  primary key (fold, change)
) strict;
create index change_latest on change (fold, last_index);

-- What was in (service, environment), valid in [from_index, to_index).
create table slot (
  fold integer not null,
  service text not null,
  environment text not null,
  from_index integer not null,
  to_index integer,
  body text not null,
  primary key (fold, service, environment, from_index),
  check (to_index > from_index)
) strict;
create unique index slot_open on slot (fold, service, environment) where to_index is null;
create index slot_closed on slot (fold, to_index) where to_index is not null;
