/**
 * Bundles the command into dist/: one entry, lazily loaded parts in chunks of their own.
 *
 * The bundle is what runs everywhere. Isolated machines see nothing but dist/ (bound at /opt/flotilla), so whatever an
 * agent needs must be inside; lmdb, a native addon that only the API server uses, is found in node_modules beside it.
 */
import { readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { build } from 'esbuild'

const root = resolve(import.meta.dirname, '..')
const entry = join(root, 'bin/flotilla.ts')
const out = join(root, 'dist')
const begun = performance.now()
const startedAt = new Date()

/** CommonJS packages call require(), which an ES module does not have. */
const REQUIRE = `import { createRequire as flotillaCreateRequire } from 'node:module';
const require = flotillaCreateRequire(import.meta.url);`

/** What cannot be bundled: a native addon, and dbus-next's way to an X server, a package that nobody installs. */
const EXTERNAL = ['lmdb', 'x11']

function bannerOf(source) {
  // esbuild keeps the entry's own first line and puts the banner after it.
  return source.startsWith('#!') ? REQUIRE : `#!/usr/bin/env node\n${REQUIRE}`
}

/** Chunks carry a hash in their name: those of earlier builds go. */
function removeStale(written) {
  const kept = new Set([...written.map((path) => basename(path)), 'package.json'])
  for (const name of readdirSync(out)) if (!kept.has(name)) rmSync(join(out, name), { recursive: true })
}

const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: [entry],
  outdir: out,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  chunkNames: '[name]-[hash]',
  // The ES module build where a package has one: behind import() a CommonJS package has its default export only.
  mainFields: ['module', 'main'],
  external: EXTERNAL,
  // A third of the size and a faster start; names stay as they are, for readable stack traces.
  minifyWhitespace: true,
  minifySyntax: true,
  banner: { js: bannerOf(readFileSync(entry, 'utf8')) },
  sourcemap: 'linked',
  sourcesContent: false,
  legalComments: 'linked',
  metafile: true,
  logLevel: 'warning',
}).catch(() => process.exit(1)) // esbuild has printed what is wrong
const written = Object.keys(metafile.outputs)
// dist/ stands alone on an isolated machine: there is no other package.json that says these are ES modules.
writeFileSync(join(out, 'package.json'), '{"type":"module"}\n')
removeStale(written)
// As old as what it was built from: a source saved during the build is then newer.
utimesSync(join(out, 'flotilla.js'), startedAt, startedAt)

const scripts = written.filter((path) => path.endsWith('.js'))
const kilobytes = scripts.reduce((sum, path) => sum + statSync(join(root, path)).size, 0) / 1024
const seconds = (performance.now() - begun) / 1000
console.error(`built dist/: ${scripts.length} files, ${kilobytes.toFixed(0)} KB, ${seconds.toFixed(2)} s`)
