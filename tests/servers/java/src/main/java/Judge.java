import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.validation.ValidationOptions;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.PrePopulatedValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.SnapshotGeneratingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.hl7.fhir.r4.model.CodeSystem;
import org.hl7.fhir.r4.model.CodeSystem.CodeSystemContentMode;
import org.hl7.fhir.r4.model.Enumerations.PublicationStatus;
import org.hl7.fhir.r5.utils.validation.constants.BestPracticeWarningLevel;

/**
 * HL7's validator for R4, offline, as a filter.
 *
 * <p>A line in is {@code {"profiles": [URL...], "resource": TEXT}}, TEXT being the resource's own octets as a string, since digits
 * would not outlive a parser. The line out for it is {@code [{"severity", "place", "says"}...]}, severities from warning upwards.
 */
public final class Judge {
  public static void main(String[] arguments) throws Exception {
    var fhir = FhirContext.forR4();
    // Of US Core one tag is used, and the guide can be had from no registry: its code system, by its published content.
    var tags = new CodeSystem();
    tags.setUrl("http://hl7.org/fhir/us/core/CodeSystem/us-core-tags");
    tags.setStatus(PublicationStatus.ACTIVE).setContent(CodeSystemContentMode.COMPLETE);
    tags.addConcept().setCode("patient-supplied");
    var known = new PrePopulatedValidationSupport(fhir);
    known.addCodeSystem(tags);

    var rules =
        new FhirInstanceValidator(
            new ValidationSupportChain(
                known,
                new DefaultProfileValidationSupport(fhir),
                new CommonCodeSystemsTerminologyService(fhir),
                new InMemoryTerminologyServerValidationSupport(fhir),
                new SnapshotGeneratingValidationSupport(fhir)));
    // PHD's extensions can be had from no registry; a profile that is asked for and not known is an error.
    rules.setAnyExtensionsAllowed(true);
    rules.setErrorForUnknownProfiles(true);
    rules.setBestPracticeWarningLevel(BestPracticeWarningLevel.Warning);
    var validator = fhir.newValidator().registerValidatorModule(rules);

    var json = new ObjectMapper();
    var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    var answers = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    for (var line = lines.readLine(); line != null; line = lines.readLine()) {
      var asked = json.readTree(line);
      var options = new ValidationOptions();
      asked.path("profiles").forEach(profile -> options.addProfile(profile.asText()));
      var findings = new ArrayList<Map<String, String>>();
      for (var said : validator.validateWithResult(asked.path("resource").asText(), options).getMessages()) {
        var severity =
            switch (said.getSeverity()) {
              case FATAL, ERROR -> "error";
              case WARNING -> "warning";
              case INFORMATION -> null;
            };
        if (severity != null) {
          findings.add(
              Map.of(
                  "severity", severity,
                  "place", String.valueOf(said.getLocationString()),
                  "says", String.valueOf(said.getMessage())));
        }
      }
      answers.println(json.writeValueAsString(List.copyOf(findings)));
      answers.flush();
    }
  }
}
