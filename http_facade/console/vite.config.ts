import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'
import { png, svg } from './tools/icon.ts'

/** Where `vite dev` finds a facade: the demo's usual address, or another by TIDEGATE_URL. */
const FACADE = process.env.TIDEGATE_URL ?? 'http://127.0.0.1:8080'

/** Emits the icons, and tells the service worker what belongs to this build. */
function shell(): Plugin {
  return {
    name: 'shell',
    apply: 'build',
    // Last: chunks that held nothing but styles are gone by then.
    enforce: 'post',
    generateBundle(_options, bundle) {
      const icons = { 'icon.svg': svg(), 'icon-192.png': png(192), 'icon-512.png': png(512) }
      for (const [fileName, source] of Object.entries(icons)) this.emitFile({ type: 'asset', fileName, source })
      const worker = bundle['sw.js']
      if (worker?.type !== 'chunk') throw new Error('there is no service worker')
      const hash = createHash('sha256')
      for (const name of readdirSync('public')) hash.update(readFileSync(`public/${name}`))
      const files = Object.keys(bundle).filter(name => name.startsWith('assets/'))
      for (const name of files.sort()) hash.update(name)
      const contents = { version: hash.digest('hex').slice(0, 12), files: ['', 'early.js', 'icon.svg', ...files] }
      if (!worker.code.includes('__SHELL__')) throw new Error('the service worker has no place for its list of files')
      worker.code = worker.code.replace(/["'`]__SHELL__["'`]/, JSON.stringify(JSON.stringify(contents)))
    },
  }
}

/** Compresses once what the facade would otherwise send whole over a thin line. */
function compressed(): Plugin {
  return {
    name: 'compressed',
    apply: 'build',
    writeBundle({ dir = '' }, bundle) {
      for (const name of Object.keys(bundle).filter(each => /\.(js|css)$/.test(each))) {
        writeFileSync(join(dir, `${name}.gz`), gzipSync(readFileSync(join(dir, name)), { level: 9 }))
      }
    },
  }
}

export default defineConfig({
  base: '/console/',
  plugins: [shell(), compressed()],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { index: 'index.html', sw: 'src/service-worker.ts' },
      output: { entryFileNames: chunk => (chunk.name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js') },
    },
  },
  server: {
    host: '127.0.0.1',
    proxy: Object.fromEntries(['/v1', '/openapi.json', '/docs', '/healthz', '/readyz'].map(path => [path, FACADE])),
  },
  test: { environment: 'happy-dom', include: ['src/**/*.test.{ts,tsx}', 'tools/*.test.ts'], restoreMocks: true },
})
