//! What a record system says that it can do.

use hearth_core::map::fhir::{Kind, Rung};
use serde_json::Value;

/// What a record system can do, as far as it says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ability {
    pub rung: Rung,
    /// `None`: it takes no bundles that this rung could use.
    pub bundles: Option<Kind>,
}

/// The highest rung that a CapabilityStatement names (R4 capabilitystatement: rest.resource.updateCreate,
/// .conditionalCreate, .searchParam, rest.interaction). One that names none gets what US Core promises: plain create.
pub(crate) fn ability(statement: &Value) -> Ability {
    let rests = || statement["rest"].as_array().into_iter().flatten();
    let resources = rests().flat_map(|rest| rest["resource"].as_array().into_iter().flatten());
    let observation: Vec<&Value> = resources.filter(|resource| resource["type"] == "Observation").collect();
    let can = |name: &str| observation.iter().any(|resource| resource[name] == true);
    let names = |list: &str, field: &str, wanted: &str| {
        let mut all = observation.iter().flat_map(|resource| resource[list].as_array().into_iter().flatten());
        all.any(|one| one[field] == wanted)
    };
    let searched = names("searchParam", "name", "identifier") && names("interaction", "code", "create");
    let rung = match () {
        () if can("updateCreate") => Rung::UpdateAsCreate,
        () if can("conditionalCreate") => Rung::ConditionalCreate,
        () if searched => Rung::SearchThenCreate,
        () => Rung::PlainCreate,
    };
    let interactions: Vec<&Value> = rests()
        .flat_map(|rest| rest["interaction"].as_array().into_iter().flatten())
        .map(|i| &i["code"])
        .collect();
    let takes = |code: &str| interactions.iter().any(|interaction| *interaction == code);
    let bundles = match () {
        () if takes("transaction") => Some(Kind::Transaction),
        () if takes("batch") && rung == Rung::UpdateAsCreate => Some(Kind::Batch),
        // It says what it takes, and these are not among it.
        () if statement["resourceType"] == "CapabilityStatement" => None,
        () => Some(Kind::Transaction),
    };
    Ability { rung, bundles }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_highest_rung_that_is_named() {
        let statement = |resource: Value, interactions: &[&str]| {
            let interactions: Vec<Value> = interactions.iter().map(|code| json!({"code": code})).collect();
            json!({"resourceType": "CapabilityStatement", "rest": [{"resource": [resource], "interaction": interactions}]})
        };
        let observation = |update: bool, conditional: bool| json!({"type": "Observation", "updateCreate": update, "conditionalCreate": conditional});
        let both = &["transaction", "batch"][..];
        let rows = [
            (statement(observation(true, true), both), Rung::UpdateAsCreate, Some(Kind::Transaction)),
            (statement(observation(true, false), &["batch"]), Rung::UpdateAsCreate, Some(Kind::Batch)),
            (statement(observation(false, true), both), Rung::ConditionalCreate, Some(Kind::Transaction)),
            // A batch cannot hold what refers to each other by urn:uuid.
            (statement(observation(false, true), &["batch"]), Rung::ConditionalCreate, None),
            (statement(observation(false, false), both), Rung::PlainCreate, Some(Kind::Transaction)),
            (statement(observation(false, false), &[]), Rung::PlainCreate, None),
            // Another resource's ability is not Observation's.
            (
                statement(json!({"type": "Patient", "updateCreate": true}), both),
                Rung::PlainCreate,
                Some(Kind::Transaction),
            ),
            // EHR-RIG 1, HAPI: conditionalCreate, no word of updateCreate.
            (
                statement(json!({"type": "Observation", "conditionalCreate": true}), both),
                Rung::ConditionalCreate,
                Some(Kind::Transaction),
            ),
            // Created and searched by identifier, and nothing better: both must be said of Observation.
            (
                statement(
                    json!({"type": "Observation", "interaction": [{"code": "create"}, {"code": "search-type"}],
                        "searchParam": [{"name": "patient"}, {"name": "identifier"}]}),
                    both,
                ),
                Rung::SearchThenCreate,
                Some(Kind::Transaction),
            ),
            (
                statement(
                    json!({"type": "Observation", "interaction": [{"code": "create"}],
                    "searchParam": [{"name": "patient"}]}),
                    &[],
                ),
                Rung::PlainCreate,
                None,
            ),
            (
                statement(
                    json!({"type": "Observation", "interaction": [{"code": "read"}],
                    "searchParam": [{"name": "identifier"}]}),
                    &[],
                ),
                Rung::PlainCreate,
                None,
            ),
            (
                statement(
                    json!({"type": "Observation", "conditionalCreate": true, "interaction": [{"code": "create"}],
                    "searchParam": [{"name": "identifier"}]}),
                    both,
                ),
                Rung::ConditionalCreate,
                Some(Kind::Transaction),
            ),
            // EHR-RIG 2, Medplum: a searchset Bundle where a CapabilityStatement should be.
            (
                json!({"resourceType": "Bundle", "type": "searchset"}),
                Rung::PlainCreate,
                Some(Kind::Transaction),
            ),
            (json!({"resourceType": "CapabilityStatement", "rest": "none"}), Rung::PlainCreate, None),
        ];
        for (statement, rung, bundles) in rows {
            assert_eq!(ability(&statement), Ability { rung, bundles }, "{statement}");
        }
    }
}
