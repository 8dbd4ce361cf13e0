// The schema the console is written against: the landed one, and what is agreed but not landed yet.
// Fields the service does not know yet are left out of what is sent, so pages show what there is.
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { buildASTSchema, Kind, parse, TypeInfo, visit, visitWithTypeInfo } from 'graphql'

const file = fileURLToPath(new URL('../schema.agreed.graphql', import.meta.url))
let known

export function agreedSchema(landed) {
  const base = parse(landed)
  known = buildASTSchema(base)
  if (!existsSync(file)) return { ast: base }
  const types = new Map(base.definitions.filter((d) => d.name).map((d) => [d.name.value, d]))
  for (const def of parse(readFileSync(file, 'utf8')).definitions) {
    const name = def.name.value
    const old = types.get(name)
    if (!old) {
      types.set(name, { ...def, kind: def.kind.replace('Extension', 'Definition') })
      continue
    }
    const part = def.kind.startsWith('Enum') ? 'values' : 'fields'
    const have = new Set((old[part] ?? []).map((f) => f.name.value))
    types.set(name, {
      ...old,
      [part]: [...(old[part] ?? []), ...(def[part] ?? []).filter((f) => !have.has(f.name.value))],
    })
  }
  for (const def of [...types.values()])
    for (const field of def.fields ?? []) {
      let type = field.type
      while (type.type) type = type.type
      const name = type.name.value
      if (!name.endsWith('Connection') || types.has(name)) continue
      const node = name.slice(0, -10)
      for (const made of parse(
        `type ${name} { edges: [${node}Edge!]! pageInfo: PageInfo! totalCount: Int } type ${node}Edge { cursor: String! node: ${node}! }`,
      ).definitions)
        types.set(made.name.value, made)
    }
  const rest = base.definitions.filter((d) => !d.name)
  return { ast: { kind: Kind.DOCUMENT, definitions: [...types.values(), ...rest] } }
}

export function knownPart(document) {
  const info = new TypeInfo(known)
  const gone = new Set()
  let doc = visit(
    document,
    visitWithTypeInfo(info, {
      FragmentDefinition(node) {
        if (known.getType(node.typeCondition.name.value)) return undefined
        gone.add(node.name.value)
        return null
      },
      Field(node) {
        const parent = info.getParentType()
        if (!parent || node.name.value.startsWith('__')) return undefined
        const def = parent.getFields?.()[node.name.value]
        if (!def) return null
        const args = new Set(def.args.map((a) => a.name))
        return { ...node, arguments: node.arguments.filter((a) => args.has(a.name.value)) }
      },
    }),
  )
  doc = visit(doc, {
    FragmentSpread: (node) => (gone.has(node.name.value) ? null : undefined),
    SelectionSet: {
      leave: (node) =>
        node.selections.length
          ? undefined
          : { ...node, selections: [{ kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } }] },
    },
  })
  const used = new Map()
  const spread = new Set()
  visit(doc, {
    VariableDefinition: () => false,
    Variable: (node) => void used.set(node.name.value, true),
    FragmentSpread: (node) => void spread.add(node.name.value),
  })
  return visit(doc, {
    VariableDefinition: (node) => (used.has(node.variable.name.value) ? undefined : null),
    FragmentDefinition: (node) => (spread.has(node.name.value) ? undefined : null),
  })
}
