import { readFileSync } from 'node:fs'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { argsTypesFile, argsTypesOf } from '../../scripts/lib/args-types.mjs'
import { at } from '../../scripts/lib/project.mjs'
import type { GRPOArgs, SFTArgs } from '../../src/index.js'
import { grpoArgsSchema, objectiveFields, sftArgsSchema } from '../../src/train/args.js'

interface Node {
  description?: string
  properties?: Record<string, Node>
  default?: unknown
}

const sft = z.toJSONSchema(sftArgsSchema, { io: 'input' }) as Node
const grpo = z.toJSONSchema(grpoArgsSchema, { io: 'input' }) as Node

const undescribed = ({ properties = {} }: Node): string[] =>
  Object.entries(properties).flatMap(([name, node]) => [
    ...(node.description ? [] : [name]),
    ...undescribed(node).map((inner) => `${name}.${inner}`),
  ])

describe('the arguments of the trainers', () => {
  it('are all described, members of objects included', () => {
    expect(undescribed(sft)).toEqual([])
    expect(undescribed(grpo)).toEqual([])
  })

  it('say what is taken when they are absent', () => {
    const silent = [sft, grpo].flatMap(({ properties = {} }) =>
      Object.entries(properties)
        .filter(([, node]) => node.default === undefined && !node.description?.includes('Default: '))
        .map(([name]) => name),
    )
    expect(silent).toEqual([])
  })

  it('say of every field of the objective that its default belongs to lossType', () => {
    const fields = objectiveFields.filter((name) => name !== 'lossType')
    const others = fields.filter((name) => !grpo.properties?.[name]?.description?.includes('Default: by lossType;'))
    expect(others).toEqual([])
  })

  it('have types that are current: npm run generate:args', () => {
    expect(readFileSync(at(argsTypesFile), 'utf8')).toBe(argsTypesOf({ sft, grpo }))
  })

  it('cannot be generated without a description', () => {
    const bare = { properties: { seed: { type: 'integer' } } }
    expect(() => argsTypesOf({ sft: bare, grpo })).toThrow('src/train/args.ts: seed has no description')
  })

  it('have types that accept what the schemas accept, and nothing else', () => {
    expectTypeOf<SFTArgs>().toExtend<z.input<typeof sftArgsSchema>>()
    expectTypeOf<z.input<typeof sftArgsSchema>>().toExtend<SFTArgs>()
    expectTypeOf<keyof SFTArgs>().toEqualTypeOf<keyof z.input<typeof sftArgsSchema>>()
    expectTypeOf<GRPOArgs>().toExtend<z.input<typeof grpoArgsSchema>>()
    expectTypeOf<z.input<typeof grpoArgsSchema>>().toExtend<GRPOArgs>()
    expectTypeOf<keyof GRPOArgs>().toEqualTypeOf<keyof z.input<typeof grpoArgsSchema>>()
  })
})
