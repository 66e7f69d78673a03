// Prints a compose file as JSON, as Docker reads it: by YAML 1.1, with merges, and no key twice.
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

const [file] = process.argv.slice(2)
const options = { version: '1.1', merge: true, uniqueKeys: true }
process.stdout.write(JSON.stringify(parse(readFileSync(file, 'utf8'), options)))
