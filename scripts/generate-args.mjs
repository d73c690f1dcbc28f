// `npm run generate:args`: writes src/train/args-types.ts from the schemas of src/train/args.ts.

import { writeArgsTypes } from './lib/args-types.mjs'

await writeArgsTypes()
