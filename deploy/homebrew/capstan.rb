# A formula for a tap (docs/guide/install.md). A release adds url and sha256 of its tarball.
class Capstan < Formula
  desc "Deterministic trading engine that replays and trades"
  homepage "https://github.com/owner/capstan"
  license "Apache-2.0"
  head "https://github.com/owner/capstan.git", branch: "main"

  depends_on "autoconf" => :build
  depends_on "automake" => :build
  depends_on "pkgconf" => :build
  depends_on "cjson"
  depends_on "curl"
  depends_on "libyaml"
  depends_on "openssl@3"
  depends_on "sqlite"
  depends_on "wslay"
  depends_on "xxhash"
  depends_on "zstd"
  uses_from_macos "zlib"

  # No formula has it any more.
  resource "http-parser" do
    url "https://github.com/nodejs/http-parser.git",
        tag:      "v2.9.4",
        revision: "2343fd6b5214b2ded2cdcf76de2bf60903bb90cd"
  end

  def install
    resource("http-parser").stage do
      system "make", "package"
      (buildpath/"http-parser/include").install "http_parser.h"
      (buildpath/"http-parser/lib").install "libhttp_parser.a"
    end
    system "autoreconf", "-i"
    system "./configure", "--without-tests", *std_configure_args,
           "CPPFLAGS=-I#{buildpath}/http-parser/include",
           "LDFLAGS=-L#{buildpath}/http-parser/lib"
    system "make", "install"
    pkgshare.install "fixtures/scenarios", "scripts/demo.yaml"
  end

  test do
    system bin/"capstan", "synth", "--seed", "7", "--events", "20000", "-o", testpath/"made.tape"
    output = shell_output("#{bin}/capstan replay #{testpath}/made.tape -c #{pkgshare}/demo.yaml --json")
    assert_match "fingerprint", output
  end
end
