//! The page that says what each table and column is for names every one of them.

use super::world::*;

#[test]
fn every_table_and_column_is_described() {
    let page = include_str!("../../../../docs/store.md");
    let mut w = World::new(catalog(&[]));
    let sql = w.store().sql.as_ref().unwrap();
    let query = "SELECT t.name, c.name FROM sqlite_schema AS t JOIN pragma_table_info(t.name) AS c
        WHERE t.type = 'table' ORDER BY t.name, c.cid";
    let mut columns = sql.prepare(query).unwrap();
    let columns: Vec<(String, String)> =
        columns.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
    assert!(columns.len() > 100);
    let implied = |column: &str| {
        ["no", "one", "record", "reading", "device", "outbox", "destination", "proof"].contains(&column)
    };
    for (table, column) in columns {
        let head = format!("\n\n| `{table}` |");
        let start = page.find(&head).unwrap_or_else(|| panic!("docs/store.md does not describe {table}"));
        let section = page[start + 2..].split("\n\n").next().unwrap();
        let said = section.contains(&format!("`{column}`"))
            || implied(&column)
            || table == "person_at" && column == "person";
        assert!(said, "docs/store.md does not say what {table}.{column} is for");
    }
}
