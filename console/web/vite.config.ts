import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

const service = process.env.RISKGRAPH_URL ?? 'http://127.0.0.1:8480'
const apiRoutes = ['/graphql', '/session', '/shared', '/health', '^/reports/.+']

const proxy = Object.fromEntries(apiRoutes.map((route) => [route, { target: service, ws: true, changeOrigin: false }]))
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; worker-src 'self'"

/** Writes a .br and a .gz twin beside every text file, so the service never compresses. */
function twins(): Plugin {
  const below = (folder: string): string[] =>
    readdirSync(folder).flatMap((name) => {
      const path = join(folder, name)
      return statSync(path).isDirectory() ? below(path) : [path]
    })
  return {
    name: 'twins',
    apply: 'build',
    closeBundle() {
      const dist = fileURLToPath(new URL('./dist', import.meta.url))
      // Keeps the folder in git, so that the crate that embeds it can watch it before the first build.
      writeFileSync(join(dist, '.gitignore'), '*\n!.gitignore\n')
      for (const path of below(dist)) {
        if (!/\.(html|js|css|svg)$/.test(path)) continue
        const text = readFileSync(path)
        writeFileSync(`${path}.gz`, gzipSync(text, { level: 9 }))
        writeFileSync(`${path}.br`, brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }))
      }
    },
  }
}

export default defineConfig({
  plugins: [react(), twins()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 900,
    reportCompressedSize: false,
  },
  worker: { format: 'es' },
  server: { proxy },
  // `npm run preview` serves the built page under the policy of the service.
  preview: { proxy, headers: { 'content-security-policy': policy } },
})
