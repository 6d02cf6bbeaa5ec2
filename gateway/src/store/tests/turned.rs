//! A bit that turned while the file lay at rest: found where its row is read, and in its turn.

use super::world::*;
use crate::store::*;

/// glu-04 without its context: a reading at once.
const ONE: &str = "030100E20709010000075CFE6FB0F1";

/// One bit of a row is turned, where the file lies at rest: of a blinded key, which no seal guards, or of what lies before
/// the proof.
fn turn_a_bit(w: &mut World, table: &str, column: Option<&str>) {
    let sql = w.store().sql.as_ref().unwrap();
    sql.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let query = format!("SELECT proof, {} FROM {table} LIMIT 1", column.unwrap_or("proof"));
    let (proof, value): (Vec<u8>, Vec<u8>) =
        sql.query_row(&query, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    w.close();
    let path = w.room.file("hearth.sqlite");
    let mut file = std::fs::read(&path).unwrap();
    let at = file.windows(proof.len()).position(|octets| octets == proof).unwrap();
    let place = match column {
        // An index may hold it, too: the row's own is the last one before its proof.
        Some(_) => file[..at].windows(value.len()).rposition(|octets| octets == value).unwrap(),
        None => at - 1,
    };
    file[place] ^= 0x04;
    std::fs::write(&path, file).unwrap();
}

/// What opened without every row having been looked at stops where a damaged one is read, and the next start salvages.
#[test]
fn a_turned_bit_never_leaves_the_hub() {
    for (table, column) in [("reading", "key"), ("outbox", "labels"), ("record", "name")] {
        let mut w = World::new(catalog(&[]));
        w.hub_time("2018-10-09T11:00:00Z");
        w.bind(LOS_ANGELES);
        let contact = w.contact();
        w.meter_says(contact, ONE);
        turn_a_bit(&mut w, table, Some(column));
        assert_eq!(w.open(), None, "{table}: rows like this one are not read by opening");
        let now = instant("2018-10-09T12:00:00Z");
        let clinic = w.clinic;
        let ticks = w.now;
        let store = w.store();
        if ["reading", "outbox"].contains(&table) {
            let said = store.due(clinic, now, 10);
            assert!(matches!(said, Err(StoreError::Broken(_))), "{table}: {said:?}");
        } else {
            let record = hearth_core::admit::RecordNo(1);
            let said = store.take(&hearth_core::admit::News::Close(record), ticks);
            assert!(matches!(said, Err(StoreError::Broken(_))), "{table}: {said:?}");
        }
        w.close();
        assert!(w.open().is_some(), "{table}: the next start looks at every row");
        w.close();
        assert_eq!(w.open(), None, "{table}: and the one after it at a sound store");
    }
}

/// What nothing reads is found in its turn.
#[test]
fn every_row_is_looked_at_while_the_hub_runs() {
    let all = |store: &mut Store| {
        let mut look = Some(Look::default());
        let mut looks = 0;
        while let Some(from) = look {
            look = store.look_over(&from)?;
            looks += 1;
        }
        Ok::<_, StoreError>(looks)
    };
    for table in ["ledger", "contact", "reading", "capture"] {
        let mut w = World::new(catalog(&[]));
        w.hub_time("2018-10-09T11:00:00Z");
        w.bind(LOS_ANGELES);
        let contact = w.contact();
        w.meter_says(contact, ONE);
        assert!(all(w.store()).unwrap() > 10);
        turn_a_bit(&mut w, table, None);
        assert_eq!(w.open(), None, "{table}");
        let said = all(w.store());
        assert!(matches!(said, Err(StoreError::Broken(_))), "{table}: {said:?}");
        w.close();
        assert!(w.open().is_some(), "{table}");
    }
}
