// Writes what the schema and the .graphql documents mean to TypeScript:
//   src/api/schema.gen.ts            every type of the schema
//   src/api/fragments.gql.ts         the types of the shared fragments
//   <feature>/<name>.gql.ts          per document file: its operations, typed, as minified strings
// Shared fragments stand in src/api/fragments.graphql; a document gets those it spreads.
// Generated files are not in git.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { codegen } from '@graphql-codegen/core'
import * as typescript from '@graphql-codegen/typescript'
import * as operations from '@graphql-codegen/typescript-operations'
import { buildASTSchema, Kind, parse, print, stripIgnoredCharacters, validate, visit } from 'graphql'

const web = join(dirname(fileURLToPath(import.meta.url)), '..')
const src = join(web, 'src')
const header = '// Written by scripts/types.mjs from the GraphQL schema. Do not edit.\n'
const scalars = { DateTime: 'string', JSON: 'unknown', ID: 'string' }

const schema = parse(readFileSync(join(web, '../../schema/riskgraph.graphql'), 'utf8'))
const shared = parse(readFileSync(join(src, 'api/fragments.graphql'), 'utf8')).definitions

function documentsBelow(folder) {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    if (statSync(path).isDirectory()) return documentsBelow(path)
    return name.endsWith('.graphql') && name !== 'fragments.graphql' ? [path] : []
  })
}

/** The fragments a node spreads, also through other fragments. */
function spreads(node, all, found = new Map()) {
  visit(node, {
    FragmentSpread({ name }) {
      if (found.has(name.value)) return
      const fragment = all.find((one) => one.kind === Kind.FRAGMENT_DEFINITION && one.name.value === name.value)
      if (!fragment) throw new Error(`no fragment ${name.value}`)
      found.set(name.value, fragment)
      spreads(fragment, all, found)
    },
  })
  return found
}

async function write(path, text) {
  let old = ''
  try {
    old = readFileSync(path, 'utf8')
  } catch {}
  if (old !== text) writeFileSync(path, text)
}

async function typesOf(definitions, plugins, pluginMap, config) {
  const document = { kind: Kind.DOCUMENT, definitions }
  return codegen({
    schema,
    documents: definitions.length ? [{ location: 'document.graphql', document }] : [],
    filename: 'out.ts',
    config,
    plugins,
    pluginMap,
  })
}

const common = {
  scalars,
  enumsAsTypes: true,
  enumType: 'string-literal',
  skipTypename: true,
  useTypeImports: true,
  avoidOptionals: false,
}

const all = await typesOf([], [{ typescript: {} }], { typescript }, common)
await write(join(src, 'api/schema.gen.ts'), header + all)

const pieces = await typesOf(shared, [{ operations: {} }], { operations }, common)
await write(join(src, 'api/fragments.gql.ts'), header + pieces)

const built = buildASTSchema(schema)
for (const path of documentsBelow(src)) {
  const own = parse(readFileSync(path, 'utf8'))
  const pool = [...own.definitions, ...shared]
  const ops = own.definitions.filter((one) => one.kind === Kind.OPERATION_DEFINITION)
  const needed = new Map()
  for (const op of ops) spreads(op, pool, needed)
  const definitions = [...ops, ...needed.values()]
  const problems = validate(built, { kind: Kind.DOCUMENT, definitions })
  if (problems.length) {
    console.error(relative(web, path), problems.map((one) => `\n  ${one.message}`).join(''))
    process.exitCode = 1
    continue
  }
  const types = await typesOf(definitions, [{ operations: {} }], { operations }, common)
  const documents = ops.map((op) => {
    const parts = [op, ...spreads(op, pool).values()]
    const text = stripIgnoredCharacters(print({ kind: Kind.DOCUMENT, definitions: parts }))
    const name = op.name.value
    const kind = op.operation[0].toUpperCase() + op.operation.slice(1)
    return `export const ${name}Document = new TypedDocument<${name}${kind}, ${name}${kind}Variables>('${name}', ${JSON.stringify(text)})`
  })
  const up = relative(dirname(path), join(src, 'api')).split(sep).join('/')
  const imports = `import { TypedDocument } from '${up.startsWith('.') ? up : `./${up}`}/document'\n`
  await write(path.replace(/\.graphql$/, '.gql.ts'), `${header}${imports}${types}\n${documents.join('\n')}\n`)
}
