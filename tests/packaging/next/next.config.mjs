export default {
  rewrites: () => [{ source: '/data/:path*', destination: `${process.env.SITE}data/:path*` }],
};
