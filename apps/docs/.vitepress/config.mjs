import { readdirSync, readFileSync } from 'node:fs'
import { defineConfig } from 'vitepress'

const root = new URL('../../../', import.meta.url)
const packages = readdirSync(new URL('packages', root)).filter((name) => {
  try {
    return !JSON.parse(readFileSync(new URL(`packages/${name}/package.json`, root), 'utf8')).private
  } catch {
    return false
  }
})
const benchmarks = readdirSync(new URL('docs/benchmarks', root)).filter(
  (name) => name.endsWith('.md') && name !== 'README.md',
)
const title = (name) => name.replace('.md', '').replaceAll('-', ' ')

export default defineConfig({
  title: 'facekit',
  description: '3D faces from photographs, in TypeScript',
  lang: 'en',
  srcDir: '.content',
  cleanUrls: false,
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  // HTML in Markdown is text: nothing of these pages needs it.
  markdown: { html: false, math: true },
  // TypeDoc writes these after the pages are built; the build looks whether they are there.
  ignoreDeadLinks: [/^\/api\//],
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      { text: 'Start', link: '/start' },
      { text: 'Theory', link: '/theory' },
      { text: 'Packages', link: '/packages/core' },
      { text: 'Functions', link: '/api/index.html', target: '_self' },
      { text: 'Benchmarks', link: '/benchmarks/' },
    ],
    sidebar: [
      {
        text: 'Begin',
        items: [
          { text: 'Start in five minutes', link: '/start' },
          { text: 'Examples', link: '/examples' },
          { text: 'Coming from Basel, FLAME, DECA', link: '/migration' },
          { text: 'Other systems', link: '/comparison' },
          { text: 'Troubleshooting', link: '/guide/troubleshooting' },
        ],
      },
      {
        text: 'Understand',
        items: [
          { text: 'Theory', link: '/theory' },
          { text: 'The method in the code', link: '/guide/method' },
          { text: 'Architecture', link: '/guide/architecture' },
          { text: 'Glossary', link: '/glossary' },
        ],
      },
      {
        text: 'Work',
        items: [
          { text: 'Face models', link: '/guide/models' },
          { text: 'Data sets', link: '/guide/datasets' },
          { text: 'Rendered data', link: '/guide/synthetic-data' },
          { text: 'Training', link: '/guide/training' },
          { text: 'Evaluation', link: '/guide/evaluation' },
          { text: 'Reliability', link: '/guide/reliability' },
          { text: 'Security', link: '/security' },
          { text: 'Contributing', link: '/contributing' },
        ],
      },
      {
        text: 'Model cards',
        items: [
          { text: 'Base model', link: '/models/base-model' },
          { text: 'Regressor', link: '/models/regressor-weights' },
        ],
      },
      {
        text: 'Benchmarks',
        collapsed: true,
        items: [
          { text: 'Overview', link: '/benchmarks/' },
          ...benchmarks.map((name) => ({
            text: title(name),
            link: `/benchmarks/${name.replace('.md', '')}`,
          })),
        ],
      },
      {
        text: 'Packages',
        collapsed: true,
        items: packages.map((name) => ({ text: name, link: `/packages/${name}` })),
      },
    ],
    socialLinks: [{ icon: 'github', link: 'https://github.com/facekit/facekit' }],
  },
})
