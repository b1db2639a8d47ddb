#include "report/html.h"

#include <gmock/gmock.h>

namespace segmentum {
namespace {

TEST(EscapeHtml, NoTextBecomesMarkup) {
  EXPECT_EQ(escape_html("a<b>&\"'c"), "a&lt;b&gt;&amp;&quot;&#39;c");
  EXPECT_EQ(escape_html("tab\tand\nline stay, bell\x07 does not"),
            "tab\tand\nline stay, bell\xEF\xBF\xBD does not");
  EXPECT_EQ(escape_html("Bäume – 樹"), "Bäume – 樹");
}

// RFC 4648, section 10.
TEST(DataUri, Base64TestVectors) {
  EXPECT_EQ(data_uri("image/png", ""), "data:image/png;base64,");
  EXPECT_EQ(data_uri("image/png", "f"), "data:image/png;base64,Zg==");
  EXPECT_EQ(data_uri("image/png", "fo"), "data:image/png;base64,Zm8=");
  EXPECT_EQ(data_uri("image/png", "foo"), "data:image/png;base64,Zm9v");
  EXPECT_EQ(data_uri("image/png", "foobar"), "data:image/png;base64,Zm9vYmFy");
  EXPECT_EQ(data_uri("image/png", "\xFF\xFE\xFD"), "data:image/png;base64,//79");
}

TEST(HtmlWriter, WritesAndClosesElements) {
  HtmlWriter html;
  html.open("tr", {{"class", "a\"b"}, {"id", ""}});
  html.element("td", "1 < 2").raw("<td>raw</td>").empty("img", {{"src", "data:,"}});
  html.open("td").open("b").text("&");
  EXPECT_EQ(std::move(html).finish(),
            "<tr class=\"a&quot;b\"><td>1 &lt; 2</td>\n<td>raw</td><img src=\"data:,\">"
            "<td><b>&amp;</b>\n</td>\n</tr>\n");
}

}  // namespace
}  // namespace segmentum
