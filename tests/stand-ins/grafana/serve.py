"""Answers /api/health at port 3000 as Grafana does, once what Grafana is to be provisioned with is there and can be read."""
import glob
import http.server

PROVISIONED = ("/etc/grafana/provisioning/datasources/*.yml", "/etc/grafana/provisioning/dashboards/*.yml",
               "/var/lib/grafana/dashboards/*.json")


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        well = self.path == "/api/health"
        body = b'{"database":"ok","version":"stand-in"}' if well else b""
        self.send_response(200 if well else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET


for pattern in PROVISIONED:
    files = glob.glob(pattern)
    assert files, f"nothing is mounted at {pattern}"
    for name in files:
        with open(name, encoding="utf-8") as file:
            assert file.read()
http.server.ThreadingHTTPServer(("", 3000), Handler).serve_forever()
