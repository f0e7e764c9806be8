// Validates AsyncAPI documents, a JSON list of texts on standard input, with the official parser, and prints a list of what
// it finds in each.
// Usage: node validate.cjs FOLDER, where FOLDER/node_modules holds @asyncapi/parser.
const { createRequire } = require('node:module');
const path = require('node:path');
const fs = require('node:fs');

const load = createRequire(path.join(path.resolve(process.argv[2]), 'package.json'));
const { Parser } = load('@asyncapi/parser');
const levels = ['error', 'warning', 'information', 'hint'];

async function report(text) {
  const { document, diagnostics } = await new Parser().parse(text);
  return {
    version: document ? document.version() : '',
    channels: document ? document.channels().all().length : 0,
    diagnostics: diagnostics.map((d) => ({
      level: levels[d.severity],
      rule: String(d.code),
      path: '/' + d.path.map((step) => String(step).replaceAll('~', '~0').replaceAll('/', '~1')).join('/'),
      message: d.message,
    })),
  };
}

async function main() {
  const reports = [];
  for (const text of JSON.parse(fs.readFileSync(0, 'utf8'))) reports.push(await report(text));
  process.stdout.write(JSON.stringify(reports));
}

main().catch((e) => {
  console.error(e);
  process.exit(1);
});
