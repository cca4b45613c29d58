#!/usr/bin/env bash
# Package webgpu 0.6.2 (Dawn for Node, published 2026): flags of create() that carry the same name.
#
# Guess:     create(['enable-dawn-features=a', 'enable-dawn-features=b']) enables a and b, as repeated command-line flags usually add up.
# Behaviour: only the last flag of a name counts, silently; several features must share one flag, separated by commas. A feature or a flag that
#            does not exist is silent, too. So a library that appends its own flags to a caller's takes the caller's away (or the other way round).
# Output:    experimental features offered: [first] 1, [first, second] 0, [second, first] 1, [joined] 1, [misspelt] 0
#
# `allow_unsafe_apis` makes Dawn offer features whose names begin with "chromium-experimental"; their presence shows whether it was read.
# Needs a Vulkan driver: VK_DRIVER_FILES, the system's, or SwiftShader of Debian's package chromium.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund webgpu@0.6.2
swiftshader=/usr/lib/chromium/vk_swiftshader_icd.json
if [ -z "${VK_DRIVER_FILES:-}" ] && [ -r "$swiftshader" ]; then export VK_DRIVER_FILES=$swiftshader; fi
cat >flags.mjs <<'JS'
import { create } from 'webgpu'
const first = 'enable-dawn-features=allow_unsafe_apis'
const second = 'enable-dawn-features=disable_robustness'
const cases = {
  none: [],
  first: [first],
  'first, second': [first, second],
  'second, first': [second, first],
  joined: [`${first},disable_robustness`],
  misspelt: ['enable-dawn-feature=allow_unsafe_apis'],
}
const offered = {}
for (const [name, flags] of Object.entries(cases)) {
  const adapter = await create(flags).requestAdapter()
  if (!adapter) throw new Error('no Vulkan adapter: set VK_DRIVER_FILES')
  offered[name] = [...adapter.features].some((feature) => feature.startsWith('chromium-experimental'))
  console.log(`[${name}] experimental features offered: ${offered[name]}`)
}
const seen = Object.values(offered).map(Number).join('')
process.exit(seen === '010110' ? 0 : 1)
JS
node flags.mjs
