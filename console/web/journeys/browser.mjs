// Starts Debian's chromium, headless, the way a person's browser would be: nothing switched off but what a machine
// without a display and a graphics card lacks.
import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'

const PLACES = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

export const SIZES = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } }

export async function openBrowser() {
  const executablePath = PLACES.find((path) => path && existsSync(path))
  if (!executablePath) throw new Error('no chromium found: apt-get install chromium, or name one in CHROMIUM')
  const args = ['--use-angle=swiftshader', '--enable-unsafe-swiftshader']
  // Root has no sandbox to fall back to, as in containers.
  if (process.getuid?.() === 0) args.push('--no-sandbox')
  return chromium.launch({ executablePath, args })
}
