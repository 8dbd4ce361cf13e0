// Makes a screenshot smaller without losing a pixel: the alpha channel goes, each line gets the filter that packs best.
import { crc32, deflateSync, inflateSync } from 'node:zlib'

const HEAD = 8

/** A PNG of the browser (8 bits, RGB or RGBA, not interlaced), packed tighter. */
export function shrink(png) {
  const chunks = []
  for (let at = HEAD; at < png.length; ) {
    const length = png.readUInt32BE(at)
    chunks.push({ type: png.toString('latin1', at + 4, at + 8), data: png.subarray(at + 8, at + 8 + length) })
    at += length + 12
  }
  const info = chunks.find((chunk) => chunk.type === 'IHDR').data
  const [width, height, depth, color, interlaced] = [
    info.readUInt32BE(0),
    info.readUInt32BE(4),
    info[8],
    info[9],
    info[12],
  ]
  if (depth !== 8 || (color !== 2 && color !== 6) || interlaced) return png
  const bytes = color === 6 ? 4 : 3
  const packed = inflateSync(Buffer.concat(chunks.filter((chunk) => chunk.type === 'IDAT').map((chunk) => chunk.data)))
  const rgb = toRgb(unfilter(packed, width * bytes, height, bytes), bytes)
  const indexed = toPalette(rgb)
  const body = indexed ? { bytes: 1, pixels: indexed.pixels, color: 3 } : { bytes: 3, pixels: rgb, color: 2 }
  const lines = filter(body.pixels, width * body.bytes, height, body.bytes)
  const head = Buffer.from(info)
  head[9] = body.color
  const parts = [png.subarray(0, HEAD), chunk('IHDR', head)]
  if (indexed) parts.push(chunk('PLTE', indexed.palette))
  parts.push(chunk('IDAT', deflateSync(lines, { level: 9, memLevel: 9 })), chunk('IEND', Buffer.alloc(0)))
  const made = Buffer.concat(parts)
  return made.length < png.length ? made : png
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const made = Buffer.alloc(body.length + 8)
  made.writeUInt32BE(data.length, 0)
  body.copy(made, 4)
  made.writeUInt32BE(crc32(body), body.length + 4)
  return made
}

function paeth(a, b, c) {
  const p = a + b - c
  const [pa, pb, pc] = [Math.abs(p - a), Math.abs(p - b), Math.abs(p - c)]
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c
}

const PREDICT = [() => 0, (a) => a, (_, b) => b, (a, b) => (a + b) >> 1, paeth]

function unfilter(packed, line, height, bytes) {
  const pixels = Buffer.alloc(line * height)
  for (let y = 0; y < height; y += 1) {
    const predict = PREDICT[packed[y * (line + 1)]]
    for (let x = 0; x < line; x += 1) {
      const at = y * line + x
      const a = x >= bytes ? pixels[at - bytes] : 0
      const b = y > 0 ? pixels[at - line] : 0
      const c = x >= bytes && y > 0 ? pixels[at - line - bytes] : 0
      pixels[at] = packed[y * (line + 1) + 1 + x] + predict(a, b, c)
    }
  }
  return pixels
}

function toRgb(pixels, bytes) {
  if (bytes === 3) return pixels
  const rgb = Buffer.alloc((pixels.length / 4) * 3)
  for (let at = 0, to = 0; at < pixels.length; at += 4, to += 3) pixels.copy(rgb, to, at, at + 3)
  return rgb
}

/** At most 256 colours fit a palette; text with soft edges often needs more. */
function toPalette(rgb) {
  const known = new Map()
  const pixels = Buffer.alloc(rgb.length / 3)
  for (let at = 0; at < rgb.length; at += 3) {
    const key = (rgb[at] << 16) | (rgb[at + 1] << 8) | rgb[at + 2]
    let index = known.get(key)
    if (index === undefined) {
      if (known.size === 256) return null
      index = known.size
      known.set(key, index)
    }
    pixels[at / 3] = index
  }
  const palette = Buffer.alloc(known.size * 3)
  for (const [key, index] of known) palette.writeUIntBE(key, index * 3, 3)
  return { pixels, palette }
}

function filter(pixels, line, height, bytes) {
  const lines = Buffer.alloc((line + 1) * height)
  const kinds = bytes === 1 ? [0] : [0, 1, 2, 4]
  for (let y = 0; y < height; y += 1) {
    let best = null
    for (const kind of kinds) {
      const made = Buffer.alloc(line)
      let cost = 0
      for (let x = 0; x < line; x += 1) {
        const at = y * line + x
        const a = x >= bytes ? pixels[at - bytes] : 0
        const b = y > 0 ? pixels[at - line] : 0
        const c = x >= bytes && y > 0 ? pixels[at - line - bytes] : 0
        made[x] = pixels[at] - PREDICT[kind](a, b, c)
        cost += made[x] < 128 ? made[x] : 256 - made[x]
      }
      if (!best || cost < best.cost) best = { kind, made, cost }
    }
    lines[y * (line + 1)] = best.kind
    best.made.copy(lines, y * (line + 1) + 1)
  }
  return lines
}
