// HTML written piece by piece, where text cannot become markup and every element is closed.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace segmentum {

/// `text` with & < > " ' as entities: fit for content and for quoted attributes. Characters that
/// HTML forbids (control characters, but not tab and line feed) become U+FFFD.
std::string escape_html(std::string_view text);

/// A resource inside the page: "data:MIME;base64,...". A third longer than `bytes`.
std::string data_uri(std::string_view mime, std::string_view bytes);

/// Names and values of attributes; values are escaped, an empty value is left out with its name.
using HtmlAttributes = std::initializer_list<std::pair<std::string_view, std::string_view>>;

/// Appends elements to a text. Every call returns the writer, so that a row reads as one line.
class HtmlWriter {
 public:
  HtmlWriter& open(std::string_view tag, HtmlAttributes attributes = {});
  HtmlWriter& close();                      // the innermost open element
  HtmlWriter& text(std::string_view text);  // escaped
  HtmlWriter& raw(std::string_view html);   // trusted, as it is
  /// An element that holds nothing but escaped text.
  HtmlWriter& element(std::string_view tag, std::string_view content,
                      HtmlAttributes attributes = {});
  /// An element without content or end: img, col, meta.
  HtmlWriter& empty(std::string_view tag, HtmlAttributes attributes = {});
  /// All that was written, open elements closed.
  std::string finish() &&;

 private:
  void start_tag(std::string_view tag, HtmlAttributes attributes);

  std::string html_;
  std::vector<std::string> open_;
};

}  // namespace segmentum
