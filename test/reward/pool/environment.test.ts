import { expect, it } from 'vitest'
import { rewardEnvironment } from '../../../src/reward/pool/environment.js'

const own = {
  PATH: '/bin',
  HOME: '/home/a',
  LC_ALL: 'C.UTF-8',
  HF_TOKEN: 'hf_x',
  OPENAI_API_KEY: 'sk-x',
  AWS_SECRET_ACCESS_KEY: 'x',
  NODE_OPTIONS: '--inspect',
  DATABASE_URL: 'postgres://u:p@h',
}

it('keeps what programs need and drops everything else', () => {
  expect(rewardEnvironment(own, [])).toEqual({ PATH: '/bin', HOME: '/home/a', LC_ALL: 'C.UTF-8' })
})

it('adds the variables that are named, and those only', () => {
  expect(Object.keys(rewardEnvironment(own, ['HF_TOKEN', 'UNSET']))).toEqual(['PATH', 'HOME', 'LC_ALL', 'HF_TOKEN'])
})
