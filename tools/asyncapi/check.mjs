// Reads an AsyncAPI document with AsyncAPI's own parser: prints it as JSON, with every $ref in its place, or else says what
// is wrong with it, ends with 1, and prints nothing.

import { readFileSync } from 'node:fs';
import { DiagnosticSeverity, Parser } from '@asyncapi/parser';

const file = process.argv[2];
const { document, diagnostics } = await new Parser().parse(readFileSync(file, 'utf8'), { source: file });
// Hints ask for contact addresses and the like; errors and warnings are about what the document says.
const faults = diagnostics.filter(({ severity }) => severity <= DiagnosticSeverity.Warning);
for (const { code, message, path, range } of faults) {
  console.error(`${file}:${range.start.line + 1}: ${path.join('.')}: ${message} (${code})`);
}
if (faults.length > 0 || document === undefined) {
  process.exitCode = 1;
} else {
  console.log(JSON.stringify(document.json()));
}
