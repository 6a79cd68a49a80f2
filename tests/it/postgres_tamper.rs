//! Whatever a superuser changes on PostgreSQL with every trigger off, `verify` fails with exit 6 and names the place.

use crate::{
    ledger::Ledger,
    postgres::Database,
    tamper::{self, CHANGES, Missed},
};

/// Tables whose loss must be named, each by its name.
const TABLES: &[&str] = &[
    "entry",
    "payload",
    "text",
    "tile",
    "checkpoint",
    "consumed",
    "refused",
    "refused_body",
    "refused_count",
    "junk",
    "head",
    "slot",
    "piperoll",
    "_sqlx_migrations",
];
/// Whatever a view shows, it is no table.
const VIEW: &str = "alter table entry rename to kept; create view entry as select * from kept; grant select on entry to public";

/// What triggers, checks and missing rights say.
const REFUSALS: &[&str] = &[
    "is insert-only",
    "can only be erased",
    "is not the next one",
    "only goes forward",
    "violates check constraint",
    "permission denied",
];

/// Takes every trigger and check out of the way, and teaches the database the words of [`CHANGES`].
const DISARM: &str = "
do $$
declare found record;
begin
  for found in select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace loop
    execute format('alter table %I disable trigger all', found.relname);
  end loop;
  for found in select conname, conrelid::regclass as tab from pg_constraint
      where contype = 'c' and connamespace = 'public'::regnamespace loop
    execute format('alter table %s drop constraint %I', found.tab, found.conname);
  end loop;
end $$;
create function as_text(bytea) returns text language sql as $$ select convert_from($1, 'UTF8') $$;
create function as_bytes(text) returns bytea language sql as $$ select convert_to($1, 'UTF8') $$;
create function zeros(integer) returns bytea language sql as $$ select decode(repeat('00', $1), 'hex') $$;
create function line_feed() returns text language sql as $$ select chr(10) $$;
";

#[tokio::test(flavor = "multi_thread")]
async fn every_change_by_a_superuser_of_postgres_is_found_and_its_place_is_named() {
    let test = "every_change_by_a_superuser_of_postgres_is_found_and_its_place_is_named";
    let Some(database) = Database::fresh(test) else {
        return;
    };
    let mut ledger = Ledger::found_in(database);
    tamper::fill(&ledger).await;
    ledger.sql(DISARM);
    let good = ledger.database.take().unwrap();
    let mut missed = Missed::nothing();
    let drops: Vec<_> = TABLES
        .iter()
        .map(|table| (format!("drop table {table}"), *table))
        .collect();
    let changes = CHANGES
        .iter()
        .map(|(statement, place)| ((*statement).to_owned(), *place))
        .chain(drops)
        .chain([(VIEW.to_owned(), "entry")]);
    for (statement, place) in changes {
        ledger.database = Some(good.twin());
        ledger.sql(&statement);
        missed.expect(place, &statement, &ledger);
        ledger.database = None; // and the twin goes
    }
    missed.assert_none();
    ledger.database = Some(good);
    let (code, said) = ledger.verify();
    assert_eq!(code, Some(0), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn triggers_and_rights_stop_accidents_on_postgres() {
    let test = "triggers_and_rights_stop_accidents_on_postgres";
    let Some(database) = Database::fresh(test) else {
        return;
    };
    let ledger = Ledger::found_in(database);
    let database = ledger.database.as_ref().unwrap();
    for statement in [
        "update entry set service = 'x'",
        "delete from entry",
        "truncate checkpoint",
        "update payload set body = 'x'",
        "insert into entry select idx + 2, recorded_at, sha256(payload_hash), leaf, leaf_hash, event_id || 'x', source, kind, \
         type_name, time, subject, change, service, environment, keyid, stream_time from entry",
        "update head set size = 0, epoch = 0",
        // Another table of that name, which the session finds first.
        "create temp table consumed (number bigint, recorded bigint); insert into pg_temp.consumed values (8, 0); \
         insert into public.consumed (number, incarnation, recorded, duplicate, refused, junk) values (9, 'embedded', 1, 0, 0, 0)",
    ] {
        for role in [
            "",
            "set session_replication_role = replica; ",
            "set role piperoll_it_service; ",
        ] {
            let said = database.refusal(&format!("{role}{statement}"));
            assert!(
                REFUSALS.iter().any(|words| said.contains(words)),
                "{role}{statement}: {said}"
            );
        }
    }
    let (code, said) = ledger.verify();
    assert_eq!(code, Some(0), "{said}");
}
